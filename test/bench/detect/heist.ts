/** What the planted thefts have in common: a foothold, something packed, a way out. */
import type { Random } from '../random.ts';
import { between, inventedDomain, inventedWord, lognormal, streamOf, uniform } from './chance.ts';
import type { Conversation } from './flow-of.ts';
import { SEVEN_ZIP, ZIP } from './ordinary-work.ts';
import type { Program, ProgramName } from './programs.ts';
import { HOUR, MINUTE, type Proc, type Scene, SECOND } from './scene.ts';

const MB = 1e6;
const SMALLEST = 2 * MB;
const LARGEST = 1_500 * MB;

const DROP_FOLDERS = [
  'C:\\ProgramData',
  'C:\\Users\\Public',
  'C:\\Windows\\Temp',
  'C:\\PerfLogs',
  '~\\AppData\\Local\\Temp',
  '~\\AppData\\Roaming\\Adobe',
];
const NAMES = ['backup', 'data', 'log', 'out', 'tmp', 'a', 'finance', 'share', 'docs', 'hr'];

export interface Packed {
  readonly path: string;
  readonly size: number;
  readonly end: number;
}

export type Packing = '7z' | 'rar' | 'tar' | 'powershell' | 'makecab';

export class Heist {
  readonly scene: Scene;
  readonly random: Random;
  readonly folder: string;
  readonly name: string;
  /** Bytes of what is packed. */
  readonly size: number;
  /** The shell that everything is done from. */
  readonly shell: Proc;
  /** Start of the packing. */
  readonly at: number;

  constructor(scene: Scene, at: number) {
    const { random } = scene;
    this.scene = scene;
    this.random = random;
    this.at = at;
    // The same on every day of a theft.
    const plan = streamOf(scene.organisation.seed, scene.theft?.id ?? '');
    this.folder = scene.path(plan.pick(DROP_FOLDERS));
    this.name = `${plan.pick(NAMES)}${plan.below(100)}`;
    this.size = Math.round(Math.min(LARGEST, Math.max(SMALLEST, lognormal(plan, 60 * MB, 1.2))));
    this.shell = this.foothold(at - between(random, 1, 20) * MINUTE);
  }

  /** A shell as an intruder gets one: from the desktop, from a service, from an office document. */
  foothold(at: number): Proc {
    const { random, scene } = this;
    const way = random.below(3);
    const parent = scene.resident(
      scene.host.role === 'server' || way === 0 ? 'services' : way === 1 ? 'explorer' : 'excel',
    );
    return scene.start(random.chance(0.5) ? 'cmd' : 'powershell', at, {
      parent,
      commandLine: random.chance(0.5) ? 'cmd.exe' : 'powershell.exe -nop -w hidden',
      directory: this.folder,
    });
  }

  /** The program that sends: from the same shell, or from another foothold that nothing ties to the first. */
  get other(): Proc {
    return this.random.chance(0.6) ? this.shell : this.foothold(this.at + MINUTE);
  }

  /** Time between packing and sending: minutes mostly, hours sometimes. */
  get pause(): number {
    const { random } = this;
    return uniform(random) < 0.7 ? between(random, 0.3, 30) * MINUTE : between(random, 0.5, 8) * HOUR;
  }

  pack(
    at = this.at,
    how: Packing = this.random.pick(['7z', '7z', 'rar', 'tar', 'powershell', 'makecab']),
    size = this.size,
    name = this.name,
  ): Packed {
    const { scene, random, folder } = this;
    const password = random.chance(0.5)
      ? random.chance(0.5)
        ? ` -hp${random.below(1e6)}`
        : ` -p${random.below(1e6)}`
      : '';
    const from = random.pick(['C:\\Shares\\Finance', '~\\Documents', '\\\\fs01\\projects', 'D:\\Data']);
    const source = scene.path(from);
    const ext = { '7z': '7z', rar: 'rar', tar: 'tar.gz', powershell: 'zip', makecab: 'cab' }[how];
    const path = `${folder}\\${name}.${ext}`;
    const lines: Record<Packing, string> = {
      '7z': `7z.exe a${password.replace('-hp', '-mhe=on -p')} ${path} ${source}\\*`,
      rar: `rar.exe a -r${password} ${path} ${source}\\*`,
      tar: `tar -czf ${path} ${source}`,
      powershell: `powershell -c "Compress-Archive -Path ${source}\\* -DestinationPath ${path}"`,
      makecab: `makecab ${source}\\export.csv ${path}`,
    };
    const program: Record<Packing, ProgramName> = {
      '7z': 'sevenZip',
      rar: 'rar',
      tar: 'tar',
      powershell: 'powershell',
      makecab: 'makecab',
    };
    const end = at + (2 + size / (15 * MB)) * SECOND;
    const packer = this.packer(program[how], at, lines[how]);
    const mimeType = {
      '7z': SEVEN_ZIP,
      rar: 'application/vnd.rar',
      tar: 'application/gzip',
      powershell: ZIP,
      makecab: 'application/vnd.ms-cab-compressed',
    }[how];
    scene.write(packer, at + SECOND, path, { size, mimeType });
    scene.end(packer, end);
    return { path, size, end };
  }

  /** A program that packs; where archives are not told of, neither is it. */
  packer(program: ProgramName, at: number, commandLine: string): Proc {
    const untold = this.scene.blindSpot === 'no archive event';
    return this.scene.start(program, at, { parent: this.shell, commandLine, directory: this.folder, untold });
  }

  /** A program dropped into the folder. */
  dropped(name: string, hello: Program['hello'], more: Partial<Program> = {}): Program {
    return { image: `${this.folder}\\${name}`, hello, ...more };
  }

  /** Starts the sender, lets it read and send, and ends it. Returns the end of the sending. */
  sendFile(
    program: ProgramName | Program,
    commandLine: string,
    packed: Packed,
    to: Conversation,
    at = packed.end + this.pause,
  ): number {
    const { scene, random } = this;
    const proc = scene.start(program, at, { parent: this.other, commandLine, directory: this.folder });
    if (packed.size > 0) scene.read(proc, at + SECOND, packed.path, { size: packed.size });
    const end = scene.send(proc, at + between(random, 0.5, 4) * SECOND, to);
    scene.end(proc, end + SECOND);
    if (random.chance(0.4)) scene.remove(this.shell, end + 20 * SECOND, packed.path);
    return end;
  }

  /** A server of the intruder's own. */
  ownServer(): string {
    const { random } = this;
    return `${random.pick(['cdn', 'api', 'static', 'files', 'mail'])}.${inventedDomain(random)}`;
  }

  bucket(): string {
    return `${inventedWord(this.random, 4)}-${this.random.below(1e4)}`;
  }

  /** Bytes on the wire for so many of content. */
  wire(bytes: number): number {
    return Math.round(bytes * between(this.random, 1.002, 1.02) + between(this.random, 3e3, 2e4));
  }
}
