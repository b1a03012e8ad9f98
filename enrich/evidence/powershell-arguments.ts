/** Arguments of a cmdlet: by name (lower case, without the dash) and by place. */
export interface PowerShellArguments {
  readonly named: ReadonlyMap<string, string>;
  readonly positional: readonly string[];
}

/**
 * Reads `-Name value`, `-Name:value` and bare values ("about_Parameters"). `switches` are the parameters that take none;
 * like all names they may be cut short.
 */
export function powerShellArguments(words: readonly string[], switches: readonly string[]): PowerShellArguments {
  const named = new Map<string, string>();
  const positional: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const found = /^[-\u2013\u2014\u2015]([A-Za-z]\w*)(?::(.*))?$/s.exec(word);
    if (found === null) {
      positional.push(word);
      continue;
    }
    const name = (found[1] ?? '').toLowerCase();
    const next = words[at + 1];
    if (found[2] !== undefined && found[2] !== '') named.set(name, found[2]);
    else if (switches.some((known) => known.startsWith(name)) || next === undefined) named.set(name, '');
    else if (/^-[A-Za-z]/.test(next)) named.set(name, '');
    else {
      named.set(name, next);
      at++;
    }
  }
  return { named, positional };
}

/** The value of a parameter, whose name may have been cut short (`-Dest` for `-DestinationPath`). */
export function namedArgument(given: PowerShellArguments, name: string): string | undefined {
  for (const [key, value] of given.named) if (name.startsWith(key) && value !== '') return value;
  return undefined;
}
