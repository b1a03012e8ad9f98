/** What a conversation said before TLS began: the first bytes of both sides, in order. */
export interface Prelude {
  readonly via: string;
  /** host:port that the client asked for. */
  readonly target?: string;
}

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/**
 * Names the protocol that a TLS handshake was upgraded from or tunnelled through. Undefined when it is none of those
 * known: the TLS behind it is reported all the same.
 * @param client first bytes the client sent before TLS, at most 1 KiB
 * @param server the same of the server
 */
export function readPrelude(client: Uint8Array, server: Uint8Array): Prelude | undefined {
  if (client.length === 0 && server.length === 0) return undefined;
  return (
    proxyHeader(client) ??
    httpConnect(client, server) ??
    socks(client) ??
    binaryUpgrade(client, server) ??
    textUpgrade(client, server)
  );
}

/** HTTP CONNECT (RFC 9110 §9.3.6): request line `CONNECT host:port HTTP/1.x`, then 2xx. */
function httpConnect(client: Uint8Array, server: Uint8Array): Prelude | undefined {
  if (client[0] !== 0x43 || client[1] !== 0x4f) return undefined;
  const target = /^CONNECT ([^\s]{1,261}) HTTP\/1\.[01]\r?\n/.exec(text(client))?.[1];
  if (target === undefined || !/HTTP\/1\.[01] 2\d\d/.test(text(server))) return undefined;
  return { via: 'connect', target };
}

/** SOCKS4/4a (the OpenSSH notes) and SOCKS5 (RFC 1928 §4). */
function socks(client: Uint8Array): Prelude | undefined {
  if (client[0] === 4 && client[1] === 1 && client.length >= 9) {
    const port = (client[2]! << 8) | client[3]!;
    const user = client.indexOf(0, 8);
    const named = client[4] === 0 && client[5] === 0 && client[6] === 0 && client[7] !== 0;
    if (!named || user < 0) return { via: 'socks4', target: `${client.slice(4, 8).join('.')}:${port}` };
    const end = client.indexOf(0, user + 1);
    return end < 0 ? { via: 'socks4' } : { via: 'socks4', target: `${text(client.subarray(user + 1, end))}:${port}` };
  }
  if (client[0] !== 5) return undefined;
  // After the method list (and an RFC 1929 exchange, version 1) comes the request: 05 01 00 type address port.
  let at = 2 + (client[1] ?? 0);
  if (client[at] === 1 && client[at + 1] !== undefined)
    at += 3 + client[at + 1]! + (client[at + 2 + client[at + 1]!] ?? 0);
  if (client[at] !== 5 || client[at + 1] !== 1) return { via: 'socks5' };
  const type = client[at + 3];
  const size = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? client[at + 4]! + 1 : 0;
  const portAt = at + 4 + size;
  if (size === 0 || portAt + 2 > client.length) return { via: 'socks5' };
  const port = (client[portAt]! << 8) | client[portAt + 1]!;
  if (type === 3) return { via: 'socks5', target: `${text(client.subarray(at + 5, portAt))}:${port}` };
  const address = client.slice(at + 4, portAt);
  if (type === 1) return { via: 'socks5', target: `${address.join('.')}:${port}` };
  return { via: 'socks5', target: `[${Buffer.from(address).toString('hex').match(/.{4}/g)!.join(':')}]:${port}` };
}

/** PROXY protocol v1 and v2 (haproxy.org/download/2.9/doc/proxy-protocol.txt). It names the original client, no target. */
function proxyHeader(client: Uint8Array): Prelude | undefined {
  const head = text(client.subarray(0, 12));
  return head.startsWith('PROXY ') || head === '\r\n\r\n\0\r\nQUIT\n' ? { via: 'proxy' } : undefined;
}

/** Upgrades that are asked for in a fixed binary message. */
function binaryUpgrade(client: Uint8Array, server: Uint8Array): Prelude | undefined {
  const c = client;
  // PostgreSQL SSLRequest: length 8, code 80877103; the server answers one byte S.
  if (c.length >= 8 && c[3] === 8 && c[4] === 0x04 && c[5] === 0xd2 && c[6] === 0x16 && c[7] === 0x2f) {
    return { via: 'postgresql' };
  }
  // MySQL: greeting with protocol version 10, then a 32-byte SSLRequest with sequence id 1 and CLIENT_SSL.
  if (server[4] === 10 && c[0] === 32 && c[1] === 0 && c[3] === 1 && (c[5]! & 0x08) !== 0) return { via: 'mysql' };
  // RDP: TPKT version 3 around an X.224 connection request (0xe0).
  if (c[0] === 3 && c[1] === 0 && c[5] === 0xe0) return { via: 'rdp' };
  // LDAP StartTLS: extended request with OID 1.3.6.1.4.1.1466.20037 (RFC 4511 §4.14).
  if (c[0] === 0x30 && text(c).includes('1.3.6.1.4.1.1466.20037')) return { via: 'ldap' };
  return undefined;
}

/** Upgrades asked for by a command in text. */
function textUpgrade(client: Uint8Array, server: Uint8Array): Prelude | undefined {
  const said = text(client);
  const greeted = text(server);
  if (/^STARTTLS\r?\n/im.test(said) && /^220[ -]/.test(greeted)) return { via: 'smtp' };
  if (/^\S{1,32} STARTTLS\r?\n/im.test(said)) return { via: 'imap' };
  if (/^STLS\r?\n/im.test(said)) return { via: 'pop3' };
  if (/^AUTH (TLS|SSL)(-C|-P)?\r?\n/im.test(said)) return { via: 'ftp' };
  if (said.includes('<starttls')) return { via: 'xmpp' };
  return undefined;
}
