import type { ByteCursor } from '../base/cursor.ts';
import type { Fault } from '../base/outcome.ts';
import { type ByteString, byteString } from '../base/text.ts';

const HOST_NAME = 0;

/** What server_name extensions say. The first one counts. */
export class ServerNames {
  /** The first host name, '' when the extension or its list is empty; undefined while there was no extension. */
  first: ByteString | undefined;
  /** Host names; RFC 6066 §3 allows one. */
  count = 0;

  /** Reads the body of an extension: a list of (name type, name). Empty bodies occur and count as an empty name. */
  read(body: ByteCursor): Fault | undefined {
    if (this.first !== undefined) return undefined;
    this.first = '';
    if (body.left === 0) return undefined;
    const list = body.vector16();
    while (list.left > 0) {
      const nameType = list.u8();
      const name = list.vector16();
      if (list.short) return 'truncated';
      if (nameType !== HOST_NAME) continue;
      if (this.count === 0) this.first = byteString(name.bytes, name.at, name.end);
      this.count++;
    }
    if (body.short) return 'truncated';
    return body.left > 0 ? 'length-mismatch' : undefined;
  }
}
