/** Characters that could move the cursor, change colours or the direction of text on a terminal. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** Text of outsiders for a terminal: control, format and unpaired characters become `\u{…}`, so one value stays one line. */
export const inspectText = (text: string): string =>
  text.replace(UNSAFE, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);

/** A value as JSON on one line in which such characters are escaped as JSON does it (RFC 8259 §7). */
export const inertJson = (value: unknown): string =>
  JSON.stringify(value).replace(UNSAFE, (c) =>
    Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
