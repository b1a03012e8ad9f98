/** waybill.1 out of the tables of options: roff in the man macros, as man-pages(7) lays a page out. */
import type { CommandSpec, OptionSpec } from '../../sensor/cli/options.ts';

export interface NamedSpec {
  readonly name: string;
  readonly summary: string;
  readonly spec: CommandSpec;
}

const HEAD = `.\\" Made by npm run docs from the tables of options; changes belong there.
.TH WAYBILL 1 "2026-11-23" "Waybill" "User Commands"
.SH NAME
waybill \\- find exfiltration hidden in TLS
.SH SYNOPSIS
.B waybill
.I COMMAND
.RI [ OPTIONS ]
.SH DESCRIPTION
For every encrypted connection that leaves the network, Waybill writes who sent it (process, ancestors, user), where to
(and how familiar that place is), and what was packed just before. It raises the ones where something that is not a
browser ships a fresh archive to an unfamiliar place (MITRE ATT&CK AN1413, T1048.002). Nothing is decrypted.
.SH COMMANDS
`;

const TAIL = `.SH EXIT STATUS
.TP
.B 0
Fine.
.TP
.B 1
Could not run; drill: no alert came.
.TP
.B 2
Usage or configuration.
.TP
.B 3
Input damaged, read up to the damage.
.TP
.B 10
Alerts with
.BR \\-\\-fail\\-on .
.TP
.BR 130 ", " 143
Ended by a signal at once.
.SH ENVIRONMENT
.TP
.BR WAYBILL_REDIS_USER ", " WAYBILL_REDIS_PASSWORD
Of the Redis that \\-\\-store and \\-\\-to name.
.TP
.B WAYBILL_CONSOLE_TOKEN
Opens the console of enrich \\-\\-console; made up at each start when it is not set.
.SH EXAMPLES
.nf
waybill replay \\-\\-capture traffic.pcapng \\-\\-endpoint sysmon.jsonl
waybill run \\-i eth1 \\-\\-data /var/lib/waybill
waybill explain wb\\-8469 \\-\\-data store \\-\\-bundle case.zip
waybill drill \\-\\-service http://127.0.0.1:8095 \\-\\-push
.fi
.SH SEE ALSO
.BR tcpdump (8),
.BR pcap\\-filter (7)
`;

export function manPage(commands: readonly NamedSpec[]): string {
  return HEAD + commands.map(section).join('') + TAIL;
}

function section({ name, summary, spec }: NamedSpec): string {
  const options = spec.options.map(option).join('');
  const notes = spec.notes === undefined ? '' : `.PP\n${text(spec.notes)}\n`;
  return `.SS ${text(name)}\n${text(summary)}\n.PP\n.B waybill ${text(name)}\n${text(spec.usage)}\n.PP\n${text(spec.summary)}\n${options}${notes}`;
}

function option(each: OptionSpec): string {
  const short = each.short === undefined ? '' : `\\fB\\-${text(each.short)}\\fR, `;
  const argument = each.argument === undefined ? '' : ` \\fI${text(each.argument)}\\fR`;
  const more = each.multiple ? ' May be given several times.' : '';
  const usual = each.fallback === undefined ? '' : ` Default: ${each.fallback}.`;
  return `.TP\n${short}\\fB\\-\\-${text(each.name)}\\fR${argument}\n${text(`${each.describe}${more}${usual}`)}\n`;
}

/** Text as roff reads it back, in ASCII: backslashes and hyphens as themselves, no line that begins like a request. */
const text = (plain: string): string =>
  plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/[^\n -~]/gu, (c) => `\\[u${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`)
    .split('\n')
    .map((line) => line.replace(/^\s+/, '').replace(/^[.']/, '\\&$&'))
    .join('\n');
