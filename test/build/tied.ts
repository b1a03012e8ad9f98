import { existsSync } from 'node:fs';

const SETPRIV = '/usr/bin/setpriv';

/**
 * A command that the kernel ends when the process that starts it dies, however that one dies: a test runner kills its workers
 * without letting them clean up. The process id is the command's own.
 */
export const tied = (command: string, args: readonly string[]): [command: string, args: string[]] =>
  existsSync(SETPRIV) ? [SETPRIV, ['--pdeathsig', 'KILL', '--', command, ...args]] : [command, [...args]];
