import { statSync } from 'node:fs';
import type { Log } from '../../sensor/base/log.ts';
import type { Exception } from '../alert/exception.ts';
import { exceptionFile, readExceptions } from '../alert/exception-file.ts';

/**
 * The exceptions of a data directory, as they are now: the file is read again when it changes, and an exception that has
 * come to its end by the wall clock is none any more. A file that cannot be read leaves the ones known before.
 */
export class ExceptionsInForce {
  /** Why the file is not in force, or undefined. */
  complaint: string | undefined;
  private readonly directory: string;
  private readonly log: Log;
  private mark = '';
  private all: readonly Exception[] = [];
  private current: readonly Exception[] = [];

  constructor(directory: string, log: Log) {
    this.directory = directory;
    this.log = log;
  }

  get now(): readonly Exception[] {
    return this.current;
  }

  /**
   * Looks whether the file has changed or an exception has ended.
   * @param wallMillis since 1970
   * @returns whether other exceptions are in force now
   */
  refresh(wallMillis: number): boolean {
    const mark = markOf(exceptionFile(this.directory));
    if (mark !== this.mark) this.read(mark);
    const current = this.all.filter(({ expires }) => wallMillis < Date.parse(expires));
    const isChanged = JSON.stringify(current) !== JSON.stringify(this.current);
    if (isChanged) this.current = current;
    return isChanged;
  }

  private read(mark: string): void {
    this.mark = mark;
    try {
      this.all = readExceptions(this.directory);
      this.complaint = undefined;
      this.log.info({ exceptions: this.all.length }, 'exceptions read');
    } catch (error) {
      this.complaint = `exceptions: ${(error as Error).message}; the ones before are kept`;
      this.log.error({ why: (error as Error).message }, 'exceptions are broken; the ones before are kept');
    }
  }
}

function markOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.mtimeNs} ${stat.size}` : 'none';
}
