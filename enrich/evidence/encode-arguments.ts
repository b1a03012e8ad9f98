import { type ArchiveRequest, after, archive, dashed, UTILITY } from './archive-request.ts';

/** `certutil -encode IN OUT`, `-encodehex`; only the making side (LOLBAS, ATT&CK T1027.013). */
export function certutil(words: readonly string[]): ArchiveRequest | undefined {
  const encode = words.find((word) => /^[-/\u2013\u2014]encode(hex)?$/i.test(word));
  if (encode === undefined) return undefined;
  const [source, output] = words.filter((word) => !/^[-/\u2013\u2014][a-z]/i.test(word));
  if (source === undefined) return undefined;
  return {
    verb: 'encode',
    technique: 'T1027.013',
    encoded: /hex$/i.test(encode) ? 'hex' : 'base64',
    inputs: [source],
    traits: [],
    ...(output === undefined ? {} : { output }),
  };
}

export function openssl(words: readonly string[]): ArchiveRequest | undefined {
  const verb = words[0]?.toLowerCase() ?? '';
  const flags = new Set(words.map((word) => word.toLowerCase()));
  const encrypts = verb === 'enc' || ((verb === 'smime' || verb === 'cms') && flags.has('-encrypt'));
  if ((!encrypts && verb !== 'base64') || flags.has('-d')) return undefined;
  const bare =
    verb === 'base64' || (verb === 'enc' && words.every((word) => !/^-(aes|des|camellia|chacha|aria)/i.test(word)));
  const base64 = bare || flags.has('-a') || flags.has('-base64');
  const source = after(words, /^-in$/i);
  const output = after(words, /^-out$/i);
  return {
    verb: 'encode',
    technique: bare ? 'T1027.013' : UTILITY,
    inputs: source === undefined ? [] : [source],
    traits: bare ? [] : ['password'],
    ...(base64 ? { encoded: 'base64' as const } : {}),
    ...(output === undefined ? {} : { output }),
  };
}

export function gpg(words: readonly string[]): ArchiveRequest | undefined {
  if (!words.some((word) => /^(-[a-z]*[ce][a-z]*|--symmetric|--encrypt)$/.test(word))) return undefined;
  if (words.some((word) => /^(-d|--decrypt|--verify|--import|--export)$/.test(word))) return undefined;
  const output = after(words, /^(-o|--output)$/);
  const valued = /^(-o|--output|-r|--recipient|-u|--passphrase|--cipher-algo|--homedir)$/;
  const sources = words.filter((word, index) => !dashed(word) && !valued.test(words[index - 1] ?? ''));
  if (sources.length === 0) return undefined;
  return { ...archive(output ?? `${sources[0] ?? ''}.gpg`, sources, ['password']), verb: 'encode' };
}
