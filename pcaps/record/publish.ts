/** Writes one recording: capture, endpoint logs and golden file side by side. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Authority } from './authority.ts';
import { HTTPS_PORT } from './destinations.ts';
import { type Expectation, goldenText } from './expectations.ts';
import type { Fact } from './facts.ts';
import { writeFeeds } from './feeds.ts';
import type { CapturedPacket } from './pcap-file.ts';
import { writePcap } from './pcap-file.ts';
import { trimPayloads } from './trim.ts';

export interface Publication {
  readonly directory: string;
  readonly name: string;
  readonly packets: readonly CapturedPacket[];
  readonly facts: readonly Fact[];
  readonly expectation: Expectation;
  /** Keep every payload byte (one upload, and the handshakes of the client set). */
  readonly whole?: boolean;
  readonly firstRecord: number;
  /** Large sets: endpoint logs compressed, and no flow list (its flows are replicas). */
  readonly bulk?: boolean;
}

export function publish(authority: Authority, publication: Publication): void {
  const { directory, name, facts, expectation } = publication;
  mkdirSync(directory, { recursive: true });
  const packets = publication.whole === true ? publication.packets : trimPayloads(publication.packets, HTTPS_PORT);
  const capture = join(directory, `${name}.pcap.gz`);
  writePcap(capture, packets);

  const feeds = writeFeeds(facts, publication.firstRecord);
  writeLines(join(directory, `${name}.endpoint.jsonl`), feeds.jsonLines, publication.bulk === true);
  writeLines(join(directory, `${name}.endpoint.xml`), feeds.xmlLines, publication.bulk === true);

  const golden = join(directory, `${name}.json`);
  const text =
    publication.bulk === true
      ? `${JSON.stringify(expectation, null, 1)}\n`
      : goldenText({ file: capture, packets, facts, authority, expectation });
  writeFileSync(golden, text);
}

function writeLines(file: string, lines: readonly string[], compressed: boolean): void {
  rmSync(file, { force: true });
  rmSync(`${file}.gz`, { force: true });
  if (lines.length === 0) return;
  const text = `${lines.join('\n')}\n`;
  if (compressed) writeFileSync(`${file}.gz`, gzipSync(text, { level: 9 }));
  else writeFileSync(file, text);
}
