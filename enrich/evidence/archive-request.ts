import type { StagingTrait } from './staging-fact.ts';

/** What an archiver was told to do. Paths are as written. */
export interface ArchiveRequest {
  readonly verb: 'archive' | 'encode';
  readonly technique: string;
  /** The file that is made; undefined when the command line does not name it. */
  readonly output?: string;
  readonly inputs: readonly string[];
  readonly traits: readonly StagingTrait[];
  readonly encoded?: 'base64' | 'hex';
}

/** ATT&CK: archive via utility. */
export const UTILITY = 'T1560.001';

/** A request to make `output` (unknown: undefined) of `inputs`. */
export function archive(
  output: string | undefined,
  inputs: readonly string[],
  traits: readonly StagingTrait[],
): ArchiveRequest {
  return { verb: 'archive', technique: UTILITY, inputs, traits, ...(output === undefined ? {} : { output }) };
}

/** An option; a lone dash is a name (standard input or output). */
export const dashed = (word: string): boolean => /^-./.test(word);

/** The word behind the first that fits `option`. */
export const after = (words: readonly string[], option: RegExp): string | undefined => {
  const at = words.findIndex((word) => option.test(word));
  return at < 0 ? undefined : words[at + 1];
};
