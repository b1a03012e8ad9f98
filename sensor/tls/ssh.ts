/**
 * The start of an SSH connection, RFC 4253 §4.2 and §7.1: who the two sides say they are, and what they offer.
 *
 *     "SSH-" protoversion "-" softwareversion [ SP comments ] CR LF       at most 255 bytes; a server may say other lines first
 *
 *     uint32 packet_length;  uint8 padding_length;  uint8 msg = 20 (KEXINIT);  opaque cookie[16];
 *     10 × name-list (uint32 length, names): kex, host key, encryption c→s, s→c, MAC c→s, s→c, compression c→s, s→c, languages
 *
 * HASSH is salesforce/hassh's method (BSD-3-Clause, Copyright (c) 2018 Salesforce.com, Inc.): MD5 of
 * `kex;encryption;mac;compression` in the direction from the side that is fingerprinted. This code is our own.
 */
import { hash } from 'node:crypto';
import { ByteCursor } from '../base/cursor.ts';
import { GrowingBuffer } from '../base/growing-buffer.ts';
import { byteString, safeText } from '../base/text.ts';
import type { Probe } from './tls-record.ts';

/** What one side of an SSH connection said of itself. */
export interface SshSide {
  /** The version line without "SSH-2.0-" in front, as safe text: "OpenSSH_9.6p1 Ubuntu-3". */
  readonly software: string | undefined;
  /** "2.0", "1.99". */
  readonly protocol: string | undefined;
  /** HASSH of a client, HASSH server of a server: 32 lower-case hexadecimal digits. */
  readonly hassh: string | undefined;
  /** The text that was hashed. */
  readonly hasshString: string | undefined;
}

/** RFC 4253 §4.2: the longest version line, CR LF included. */
const MAX_LINE_BYTES = 255;
/** Bytes of other lines that a server may say before its version. */
const MAX_BANNER_BYTES = 8 * 1024;
/** RFC 4253 §6.1: every implementation takes packets of this size; real KEXINITs stay below 2,000 bytes. */
const MAX_PACKET_BYTES = 35_000;
/** Bytes of one direction that are looked at. */
const MAX_STREAM_BYTES = MAX_BANNER_BYTES + MAX_LINE_BYTES + MAX_PACKET_BYTES;
const FIRST_BUFFER_BYTES = 2_048;
const KEXINIT = 20;
const COOKIE_BYTES = 16;
const LINE_FEED = 0x0a;

/** Whether a stream begins like SSH. A server that greets before its version line is not found by this. */
export function looksLikeSsh(bytes: Uint8Array, start: number, end: number): Probe {
  const have = Math.min(MAGIC.length, end - start);
  for (let i = 0; i < have; i++) {
    if (bytes[start + i] !== MAGIC.charCodeAt(i)) return 'no';
  }
  return have === MAGIC.length ? 'yes' : 'more';
}

/** Reads one direction of an SSH connection from its first byte on; bytes must come in order and without gaps. */
export class SshStream implements SshSide {
  software: string | undefined;
  protocol: string | undefined;
  hassh: string | undefined;
  hasshString: string | undefined;
  /** True once everything was read, or nothing more can be. */
  done = false;

  private readonly side: 'client' | 'server';
  private readonly data = new GrowingBuffer(MAX_STREAM_BYTES, FIRST_BUFFER_BYTES);
  /** Where the line or packet that is being read begins. */
  private at = 0;
  /** No line feed stands before this. */
  private scanned = 0;

  constructor(side: 'client' | 'server') {
    this.side = side;
  }

  /** Bytes of memory held for what is not complete yet. */
  get heldBytes(): number {
    return this.data.bytes.length;
  }

  /** The next bytes of the stream: bytes[start, end). */
  push(bytes: Uint8Array, start: number, end: number): void {
    if (this.done) return;
    this.data.append(bytes, start, end);
    while (this.software === undefined && !this.done && this.readLine()) {}
    if (this.software !== undefined && !this.done) this.readKexInit();
    if (this.data.length >= MAX_STREAM_BYTES) this.done = true;
    if (this.done) this.data.release();
  }

  /** Reads one line. False when it is not all here. */
  private readLine(): boolean {
    const { data, at } = this;
    const feed = data.bytes.subarray(0, data.length).indexOf(LINE_FEED, this.scanned);
    this.scanned = data.length;
    const end = feed < 0 ? data.length : feed;
    const isVersion = looksLikeSsh(data.bytes, at, end) === 'yes';
    if (isVersion ? end - at > MAX_LINE_BYTES : end > MAX_BANNER_BYTES) this.done = true;
    if (feed < 0 || this.done) return false;
    if (isVersion) this.takeVersion(byteString(data.bytes, at, end).replace(/\r$/, ''));
    this.at = end + 1;
    this.scanned = this.at;
    return true;
  }

  private takeVersion(line: string): void {
    const dash = line.indexOf('-', MAGIC.length);
    this.protocol = safeText(dash < 0 ? line.slice(MAGIC.length) : line.slice(MAGIC.length, dash), MAX_LINE_BYTES).text;
    this.software = safeText(dash < 0 ? '' : line.slice(dash + 1), MAX_LINE_BYTES).text;
    // SSH 1 has no KEXINIT; 1.99 means both (RFC 4253 §5.1).
    if (!this.protocol.startsWith('2.') && this.protocol !== '1.99') this.done = true;
  }

  private readKexInit(): void {
    const packet = new ByteCursor(this.data.bytes, this.at, this.data.length);
    const length = packet.u32();
    if (packet.short) return;
    if (length > MAX_PACKET_BYTES) {
      this.done = true;
      return;
    }
    const body = packet.window(length);
    if (body.short) return;
    this.done = true;
    body.u8(); // padding_length
    if (body.u8() !== KEXINIT) return;
    body.skip(COOKIE_BYTES);
    const lists: string[] = [];
    for (let i = 0; i < 8; i++) {
      const names = body.window(body.u32());
      lists.push(byteString(names.bytes, names.at, names.end));
    }
    if (body.short) return;
    const [kex, , encryptionOut, encryptionIn, macOut, macIn, compressionOut, compressionIn] = lists;
    const own =
      this.side === 'client' ? [kex, encryptionOut, macOut, compressionOut] : [kex, encryptionIn, macIn, compressionIn];
    const text = own.join(';');
    this.hassh = hash('md5', Buffer.from(text, 'latin1'));
    this.hasshString = safeText(text, MAX_PACKET_BYTES).text;
  }
}

const MAGIC = 'SSH-';
