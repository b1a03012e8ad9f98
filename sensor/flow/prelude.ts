/** What a conversation said before TLS began: the first bytes of both sides, in order. */
export interface Prelude {
  readonly via: string;
  /** host:port that the client asked for. */
  readonly target?: string;
}

/** The host of a target. */
export const hostOf = (target: string): string => target.replace(/:\d+$/, '');

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
    httpConnect(client) ??
    socks(client, server) ??
    binaryUpgrade(client, server) ??
    textUpgrade(client, server)
  );
}

/**
 * HTTP CONNECT (RFC 9110 §9.3.6): request line `CONNECT host:port HTTP/1.x`. What the proxy answered is not looked at, it
 * may be long: a client goes on with TLS only in a tunnel.
 */
function httpConnect(client: Uint8Array): Prelude | undefined {
  if (client[0] !== 0x43 || client[1] !== 0x4f) return undefined;
  const target = /^CONNECT ([^\s]{1,261}) HTTP\/1\.[01]\r?\n/.exec(text(client))?.[1];
  return target === undefined ? undefined : { via: 'connect', target };
}

/** SOCKS4/4a (the OpenSSH notes) and SOCKS5 (RFC 1928 §4), with what the server answers first. */
function socks(client: Uint8Array, server: Uint8Array): Prelude | undefined {
  if (client[0] === 4 && client[1] === 1 && client.length >= 9 && answers(server, 0)) return socks4(client);
  if (client[0] === 5 && answers(server, 5)) return socks5(client);
  return undefined;
}

const answers = (server: Uint8Array, first: number): boolean => server.length === 0 || server[0] === first;

/** 04 01 port(2) address(4) user 00; with an address of 0.0.0.x a name and 00 follow. */
function socks4(client: Uint8Array): Prelude {
  const port = (client[2]! << 8) | client[3]!;
  if (!isNamed4(client)) return { via: 'socks4', target: `${client.slice(4, 8).join('.')}:${port}` };
  const user = client.indexOf(0, 8);
  const end = user < 0 ? -1 : client.indexOf(0, user + 1);
  return end < 0 ? { via: 'socks4' } : { via: 'socks4', target: `${text(client.subarray(user + 1, end))}:${port}` };
}

const isNamed4 = (c: Uint8Array): boolean => c[4] === 0 && c[5] === 0 && c[6] === 0 && c[7] !== 0;

/** 05 01 00 type(1) address port(2), after the method list and perhaps a name and password (RFC 1929). */
function socks5(client: Uint8Array): Prelude {
  const at = socks5Request(client);
  const portAt = at < 0 ? -1 : socks5PortAt(client, at);
  if (portAt < 0 || portAt + 2 > client.length) return { via: 'socks5' };
  const port = (client[portAt]! << 8) | client[portAt + 1]!;
  const type = client[at + 3];
  if (type === 3) return { via: 'socks5', target: `${text(client.subarray(at + 5, portAt))}:${port}` };
  const address = client.slice(at + 4, portAt);
  if (type === 1) return { via: 'socks5', target: `${address.join('.')}:${port}` };
  return { via: 'socks5', target: `[${Buffer.from(address).toString('hex').match(/.{4}/g)!.join(':')}]:${port}` };
}

/** Index of the request, or -1. */
function socks5Request(client: Uint8Array): number {
  let at = 2 + (client[1] ?? 0);
  // version(1) = 1, user length, user, password length, password
  if (client[at] === 1 && client[at + 1] !== undefined) {
    at += 3 + client[at + 1]! + (client[at + 2 + client[at + 1]!] ?? 0);
  }
  return client[at] === 5 && client[at + 1] === 1 ? at : -1;
}

function socks5PortAt(client: Uint8Array, at: number): number {
  const type = client[at + 3];
  const size = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? (client[at + 4] ?? 0) + 1 : 0;
  return size === 0 ? -1 : at + 4 + size;
}

const PROXY_V2 = '\r\n\r\n\0\r\nQUIT\n';
/** TLV of PROXY version 2 with the host name the client asked for. */
const PP2_TYPE_AUTHORITY = 2;

/**
 * PROXY protocol v1 and v2 (haproxy.org/download/2.9/doc/proxy-protocol.txt). It names both ends of the connection that
 * the proxy accepted; the target is where the client went, by name when the proxy says it.
 */
function proxyHeader(client: Uint8Array): Prelude | undefined {
  if (client[0] === 0x50) {
    const line = /^PROXY (?:TCP[46] \S{1,45} (\S{1,45}) \d{1,5} (\d{1,5})|UNKNOWN[^\r\n]*)\r\n/.exec(text(client));
    if (line === null) return undefined;
    return line[1] === undefined ? { via: 'proxy' } : { via: 'proxy', target: hostPort(line[1], Number(line[2])) };
  }
  if (client.length < 16 || text(client.subarray(0, 12)) !== PROXY_V2) return undefined;
  return proxyVersion2(client);
}

function proxyVersion2(client: Uint8Array): Prelude {
  const size = client[13] === 0x11 ? 4 : client[13] === 0x21 ? 16 : 0;
  const end = Math.min(client.length, 16 + ((client[14]! << 8) | client[15]!));
  const tlvs = 16 + 2 * size + 4;
  if (size === 0 || tlvs > end) return { via: 'proxy' };
  const port = (client[tlvs - 2]! << 8) | client[tlvs - 1]!;
  for (let at = tlvs; at + 3 <= end; ) {
    const length = (client[at + 1]! << 8) | client[at + 2]!;
    if (client[at] === PP2_TYPE_AUTHORITY && length > 0 && at + 3 + length <= end) {
      return { via: 'proxy', target: `${text(client.subarray(at + 3, at + 3 + length))}:${port}` };
    }
    at += 3 + length;
  }
  const address = client.slice(16 + size, 16 + 2 * size);
  const host = size === 4 ? address.join('.') : Buffer.from(address).toString('hex').match(/.{4}/g)!.join(':');
  return { via: 'proxy', target: hostPort(host, port) };
}

const hostPort = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** Whether bytes with this first one may be a prelude that `clientPreludeEnd` knows: C(ONNECT), P(ROXY), its v2, SOCKS, MySQL. */
export function mayBeginPrelude(bytes: Uint8Array, size: number): boolean {
  const first = bytes[0];
  return size > 0 && (first === 0x43 || first === 0x50 || first === 0x0d || first === 4 || first === 5 || first === 32);
}

/** Whether bytes begin like a server's greeting in SMTP or FTP (220), NNTP (20x), IMAP (* OK), POP3 (+OK) or VNC (RFB). */
export function mayGreet(bytes: Uint8Array, size: number): boolean {
  if (size < 3) return false;
  switch (bytes[0]) {
    case 0x32:
      return (bytes[1] === 0x32 || bytes[1] === 0x30) && (bytes[2] === 0x30 || bytes[2] === 0x31);
    case 0x2a:
      return bytes[1] === 0x20 && bytes[2] === 0x4f;
    case 0x2b:
      return bytes[1] === 0x4f && bytes[2] === 0x4b;
    default:
      return bytes[0] === 0x52 && bytes[1] === 0x46 && bytes[2] === 0x42;
  }
}

/**
 * Index behind a whole client part of those preludes that a client may send together with its hello, without waiting for
 * an answer: PROXY headers and MySQL's SSLRequest always, CONNECT and SOCKS from optimistic clients. -1 when there is none, or not all of it.
 */
export function clientPreludeEnd(client: Uint8Array): number {
  switch (client[0]) {
    case 0x43:
      return connectsEnd(text(client));
    case 0x50:
      return text(client.subarray(0, 6)) === 'PROXY ' ? behind(client.indexOf(0x0a)) : -1;
    case 0x0d: {
      if (client.length < 16 || text(client.subarray(0, 12)) !== PROXY_V2) return -1;
      return 16 + ((client[14]! << 8) | client[15]!);
    }
    case MYSQL_SSL_REQUEST:
      return isMysqlRequest(client) && client.length >= 4 + MYSQL_SSL_REQUEST ? 4 + MYSQL_SSL_REQUEST : -1;
    case 4: {
      const user = client[1] === 1 ? client.indexOf(0, 8) : -1;
      return user < 0 ? -1 : isNamed4(client) ? behind(client.indexOf(0, user + 1)) : user + 1;
    }
    case 5: {
      const at = socks5Request(client);
      const portAt = at < 0 ? -1 : socks5PortAt(client, at);
      return portAt < 0 ? -1 : portAt + 2;
    }
    default:
      return -1;
  }
}

/** Behind the last of several requests: a client that has to log in asks again. */
function connectsEnd(said: string): number {
  let end = -1;
  for (let at = 0; said.startsWith('CONNECT ', at); at = end) {
    const blank = said.indexOf('\r\n\r\n', at);
    if (blank < 0) return -1;
    end = blank + 4;
  }
  return end;
}

const behind = (index: number): number => (index < 0 ? -1 : index + 1);

/** Upgrades that are asked for in a fixed binary message. */
function binaryUpgrade(client: Uint8Array, server: Uint8Array): Prelude | undefined {
  const c = client;
  // PostgreSQL SSLRequest, perhaps after a GSSENCRequest that was refused; the server answers one byte S.
  if (isPostgresRequest(c, 0x2f) || (isPostgresRequest(c, 0x30) && isPostgresRequest(c.subarray(8), 0x2f))) {
    return { via: 'postgresql' };
  }
  // MySQL: greeting with protocol version 10, then a 32-byte SSLRequest with sequence id 1 and CLIENT_SSL.
  if (server[4] === 10 && isMysqlRequest(c)) return { via: 'mysql' };
  // RDP: TPKT version 3 around an X.224 connection request (0xe0).
  if (c[0] === 3 && c[1] === 0 && c[5] === 0xe0) return { via: 'rdp' };
  // LDAP StartTLS: extended request with OID 1.3.6.1.4.1.1466.20037 (RFC 4511 §4.14).
  if (c[0] === 0x30 && text(c).includes('1.3.6.1.4.1.1466.20037')) return { via: 'ldap' };
  return undefined;
}

/** Length of MySQL's SSLRequest. */
const MYSQL_SSL_REQUEST = 32;
const isMysqlRequest = (c: Uint8Array): boolean =>
  c[0] === MYSQL_SSL_REQUEST && c[1] === 0 && c[2] === 0 && c[3] === 1 && (c[5]! & 0x08) !== 0;

/** Length 8, then a code: 80877103 asks for TLS, 80877104 for GSSAPI encryption. */
const isPostgresRequest = (c: Uint8Array, last: number): boolean =>
  c.length >= 8 && c[3] === 8 && c[4] === 0x04 && c[5] === 0xd2 && c[6] === 0x16 && c[7] === last;

/** Upgrades asked for by a command in text. */
function textUpgrade(client: Uint8Array, server: Uint8Array): Prelude | undefined {
  const said = text(client);
  const greeted = text(server);
  if (/^STARTTLS\r?\n/im.test(said)) {
    if (/^220[ -]/.test(greeted)) return { via: 'smtp' };
    if (/^20[01] /.test(greeted)) return { via: 'nntp' }; // RFC 4642
    if (/^"IMPLEMENTATION"/i.test(greeted)) return { via: 'sieve' }; // RFC 5804 §1.7
    if (/^:\S{1,255} 670 /m.test(greeted)) return { via: 'irc' }; // ircv3.net/specs/deprecated/tls
  }
  if (/^\S{1,32} STARTTLS\r?\n/im.test(said)) return { via: 'imap' };
  if (/^STLS\r?\n/im.test(said)) return { via: 'pop3' };
  if (/^AUTH (TLS|SSL)(-C|-P)?\r?\n/im.test(said)) return { via: 'ftp' };
  if (said.includes('<starttls')) return { via: 'xmpp' };
  // RFC 2817 §3.1: the client asks, the server switches protocols.
  if (/^Upgrade: TLS\/1\.\d/im.test(said) && /^HTTP\/1\.1 101 /.test(greeted)) return { via: 'http' };
  if (said.startsWith('RFB 00') && greeted.startsWith('RFB 00')) return { via: 'vnc' }; // VeNCrypt
  if (said.startsWith('AMQP\x02')) return { via: 'amqp' }; // AMQP 1.0 §5.2.1
  return undefined;
}
