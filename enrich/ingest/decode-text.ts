import { TextDecoder } from 'node:util';

/**
 * Text out of bytes in UTF-8 or UTF-16 of either byte order, told by a byte order mark or, without one, by the zero bytes that
 * ASCII has in UTF-16. Bytes that are no text become U+FFFD: they spoil a value, never the stream.
 */
export class TextSniffer {
  private decoder: TextDecoder | undefined;

  push(bytes: Uint8Array): string {
    this.decoder ??= new TextDecoder(encodingOf(bytes));
    return this.decoder.decode(bytes, { stream: true });
  }

  end(): string {
    return this.decoder?.decode() ?? '';
  }
}

function encodingOf(head: Uint8Array): string {
  const [first, second] = head;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first !== 0 && second === 0) return 'utf-16le';
  return first === 0 && second !== undefined && second !== 0 ? 'utf-16be' : 'utf-8';
}
