/** Controls, format characters (those that turn the direction of text among them), separators and unpaired halves. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

export interface Piece {
  readonly text: string;
  /** Stands for a character that could not be seen or would change its surroundings. */
  readonly isMark: boolean;
}

/** Text of outsiders as pieces that are safe to look at: what is invisible becomes visible, nothing moves its neighbours. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > from) found.push({ text: text.slice(from, match.index), isMark: false });
    found.push({ text: `U+${match[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`, isMark: true });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from), isMark: false });
  return found;
}

/** The same as one text, for places that hold no elements. */
export const marked = (text: string, most = 200): string =>
  pieces(text.slice(0, most))
    .map((piece) => (piece.isMark ? `‹${piece.text}›` : piece.text))
    .join('') + (text.length > most ? '…' : '');
