/**
 * A logon session on a recorded machine: a real shell inside the machine's namespace stands for explorer.exe (or
 * services.exe), shells started in it for powershell.exe or cmd.exe, and every command is a real child process of the
 * shell it is run in. So the lineage in the endpoint log is the lineage that existed.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { FileWatch, type SeenFile } from './file-watch.ts';
import { accountName, type Host, profileOf, SYSTEM, type User } from './hosts.ts';
import { namespaceOf } from './network.ts';
import { program } from './programs.ts';

/** One command or shell as the recorder ran it. */
export interface Step {
  readonly number: number;
  readonly host: Host;
  readonly user: User;
  readonly program: string;
  readonly commandLine: string;
  readonly currentDirectory: string;
  readonly pid: number;
  readonly parentPid: number;
  /** Recorder's clock around it, microseconds; the kernel trace has the exact times. */
  readonly from: number;
  to: number;
  readonly exitCode: number;
  /** Only in the ordinary day: when and how often it comes in replicated days. */
  readonly slot?: Slot;
  files: readonly SeenFile[];
}

/** A part of the ordinary day that is moved as one piece. */
export interface Slot {
  /** Hour of the day, UTC, fractions allowed. */
  readonly hour: number;
  readonly cadence: 'daily' | 'often' | 'weekly';
}

export interface RunOptions {
  /** What Windows would show after the image path. */
  readonly arguments?: string;
  /** Other exit codes than 0 that are fine. */
  readonly mayFail?: boolean;
  /** What the command reads from its standard input; it is then held open for a moment, as a person would. */
  readonly input?: string;
}

/** A command that has not ended by then is ended, milliseconds. */
const MAX_RUN_MILLISECONDS = 90_000;

const now = (): number => Date.now() * 1000;
const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Hands out step numbers and collects the steps of one take. */
export class StepLog {
  readonly steps: Step[] = [];
  add(step: Omit<Step, 'number'>): Step {
    const numbered = { ...step, number: this.steps.length };
    this.steps.push(numbered);
    return numbered;
  }
}

export class Session {
  readonly host: Host;
  readonly user: User;
  readonly rootProgram: 'explorer' | 'services';
  readonly home: string;
  readonly rootPid: number;
  private readonly log: StepLog;
  private readonly shell: ChildProcessByStdio<Writable, Readable, null>;
  private readonly lines: Interface;
  private readonly pending: ((line: string) => void)[] = [];
  private readonly shellSteps: Step[] = [];
  private readonly watched: FileWatch[] = [];
  /** Slot of the steps that follow. */
  slot: Slot | undefined;

  constructor(log: StepLog, host: Host, user: User, workDirectory: string) {
    this.log = log;
    this.host = host;
    this.user = user;
    this.rootProgram = user === SYSTEM ? 'services' : 'explorer';
    this.home = join(workDirectory, 'homes', host.name, user.name);
    mkdirSync(this.home, { recursive: true });
    const root = join(workDirectory, 'pki', 'root.pem');
    // The one client here that knows no environment variable for it.
    writeFileSync(join(this.home, '.wgetrc'), `ca_certificate = ${root}\n`);
    const env = {
      HOME: this.home,
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
      LANG: 'C.UTF-8',
      SSL_CERT_FILE: root,
      CURL_CA_BUNDLE: root,
      GIT_SSL_CAINFO: root,
      NODE_EXTRA_CA_CERTS: root,
    };
    // Its own host name, so that the clients do not ask for the recorder's.
    const named = `hostname ${host.name.toLowerCase()}; exec bash --norc --noprofile`;
    const shellArguments = ['netns', 'exec', namespaceOf(host), 'unshare', '--uts', 'sh', '-c', named];
    this.shell = spawn('ip', shellArguments, { cwd: this.home, env, stdio: ['pipe', 'pipe', 'ignore'] });
    this.rootPid = this.shell.pid!;
    this.lines = createInterface({ input: this.shell.stdout });
    this.lines.on('line', (line) => {
      if (line.startsWith('@@')) this.pending.shift()?.(line.slice(2));
    });
  }

  /** `DOMAIN\user` of this session. */
  get account(): string {
    return accountName(this.user);
  }

  /** Windows form of a path below this session's home. */
  windowsPath(relative: string): string {
    return `${profileOf(this.user)}\\${relative.replaceAll('/', '\\')}`;
  }

  /** Reports files that appear in this directory (below the home) until the session ends. */
  async watch(relative: string, windowsDirectory = this.windowsPath(relative)): Promise<void> {
    const directory = join(this.home, relative);
    mkdirSync(directory, { recursive: true });
    this.watched.push(await FileWatch.start(directory, windowsDirectory));
  }

  /** Starts a shell inside the current one; commands run in it until `leave`. */
  async enter(name: 'powershell' | 'cmd', shellArguments = ''): Promise<void> {
    const from = now();
    this.send('bash --norc --noprofile\n');
    const pid = Number(await this.ask('echo "@@$$"\n'));
    this.shellSteps.push(this.record(name, pid, shellArguments, { from, to: 0, exitCode: 0 }));
  }

  async leave(): Promise<void> {
    const step = this.shellSteps.pop();
    this.send('exit\n');
    await this.ask('echo "@@left"\n');
    if (step !== undefined) step.to = now();
  }

  /** Runs a real command in the current shell and waits for its end. */
  async run(name: string, command: readonly string[], options: RunOptions = {}): Promise<Step> {
    const from = now();
    const pidLine = this.next();
    const done = this.next();
    const line = `${command.map(quote).join(' ')} >/dev/null 2>>${quote(join(this.home, 'commands.log'))}`;
    const fed =
      options.input === undefined
        ? `${line} </dev/null`
        : `{ printf %s ${quote(options.input)}; sleep 0.4; } | ${line}`;
    this.send(`${fed} & echo "@@$!"; wait $!; echo "@@$?"\n`);
    const pid = Number(await pidLine);
    const limit = setTimeout(() => process.kill(pid, 'SIGTERM'), MAX_RUN_MILLISECONDS);
    const exitCode = Number(await done);
    clearTimeout(limit);
    if (exitCode !== 0 && options.mayFail !== true) {
      throw new Error(`${this.host.name}: ${command.join(' ')} ended with ${exitCode}; see ${this.home}/commands.log`);
    }
    const step = this.record(name, pid, options.arguments ?? '', { from, to: now(), exitCode });
    await this.collectFiles(step);
    return step;
  }

  /** A command that Windows does inside the shell itself (Remove-Item, Copy-Item): its files belong to the shell. */
  async builtin(command: readonly string[]): Promise<void> {
    await this.ask(`${command.map(quote).join(' ')} >/dev/null 2>&1; echo "@@$?"\n`);
    const shell = this.shellSteps.at(-1);
    if (shell !== undefined) await this.collectFiles(shell);
  }

  async end(): Promise<void> {
    while (this.shellSteps.length > 0) await this.leave();
    for (const watch of this.watched) watch.close();
    this.shell.stdin.end('exit\n');
    await new Promise((resolve) => this.shell.once('close', resolve));
  }

  private async collectFiles(step: Step): Promise<void> {
    for (const watch of this.watched) step.files = [...step.files, ...(await watch.take())];
  }

  private record(
    name: string,
    pid: number,
    windowsArguments: string,
    rest: Pick<Step, 'from' | 'to' | 'exitCode'>,
  ): Step {
    const image = program(name).image.replace('%USERPROFILE%', profileOf(this.user));
    return this.log.add({
      host: this.host,
      user: this.user,
      program: name,
      commandLine: `"${image}"${windowsArguments === '' ? '' : ` ${windowsArguments}`}`,
      currentDirectory: `${profileOf(this.user)}\\`,
      pid,
      parentPid: this.shellSteps.at(-1)?.pid ?? this.rootPid,
      files: [],
      ...(this.slot === undefined ? {} : { slot: this.slot }),
      ...rest,
    });
  }

  private send(text: string): void {
    this.shell.stdin.write(text);
  }

  private next(): Promise<string> {
    return new Promise((resolve) => this.pending.push(resolve));
  }

  private ask(text: string): Promise<string> {
    const reply = this.next();
    this.send(text);
    return reply;
  }
}
