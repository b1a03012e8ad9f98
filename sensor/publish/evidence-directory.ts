import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Exit, UserError } from '../base/exit.ts';
import { evidenceName } from '../record/evidence-name.ts';

export interface DirectoryLimits {
  /** Files in the directory, those of earlier runs included. */
  readonly files: number;
  /** Bytes of all of them. */
  readonly bytes: number;
}

export const DIRECTORY_LIMITS: DirectoryLimits = { files: 100_000, bytes: 1 << 30 };

const SUFFIX = '.pcap';

/** A directory of one small pcap file a flow. Nothing in it is ever changed or deleted: at its caps it takes no more. */
export class EvidenceDirectory {
  written = 0;
  /** Files that were there already: of an earlier run over the same packets. */
  present = 0;
  /** Files left out at a cap. */
  refused = 0;
  /** Files that could not be written, and why the last one was not. */
  failed = 0;
  lastError: string | undefined;
  private readonly path: string;
  private readonly limits: DirectoryLimits;
  private files = 0;
  private bytes = 0;

  /** Makes the directory where there is none; a `UserError` when it cannot be used. */
  constructor(path: string, limits: DirectoryLimits = DIRECTORY_LIMITS) {
    this.path = path;
    this.limits = limits;
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(path)) if (name.endsWith(SUFFIX)) this.count(statSync(join(path, name)).size);
    } catch (error) {
      throw new UserError(`--evidence ${path}: ${(error as NodeJS.ErrnoException).code}`, Exit.failed);
    }
  }

  /** Writes the file of one flow. */
  write(flowId: string, pcap: Uint8Array): void {
    if (this.files >= this.limits.files || this.bytes + pcap.length > this.limits.bytes) {
      this.refused++;
      return;
    }
    try {
      // Only ever a new file: what lies under the name, a link perhaps, is left as it is.
      writeFileSync(join(this.path, evidenceName(flowId)), pcap, { flag: 'wx', mode: 0o600 });
      this.written++;
      this.count(pcap.length);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') {
        this.present++;
        return;
      }
      this.failed++;
      this.lastError = code ?? 'unknown error';
    }
  }

  /** One line when not all of it could be kept. */
  get complaint(): string | undefined {
    if (this.failed > 0) return `${this.path}: ${this.failed} evidence files could not be written (${this.lastError})`;
    if (this.refused === 0) return undefined;
    const { files, bytes } = this.limits;
    return `${this.path}: ${this.refused} evidence files left out: the directory holds at most ${files} files and ${bytes} bytes`;
  }

  private count(bytes: number): void {
    this.files++;
    this.bytes += bytes;
  }
}
