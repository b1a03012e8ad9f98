/** One host on one day: turns what its programs do into flow records and endpoint events, as its sensors would show them. */
import type { ConnectionEvent, EndpointEvent, FileEvent, ProcessRef } from '../../../enrich/event/endpoint-event.ts';
import type { FlowRecord } from '../../../sensor/record/flow-record.ts';
import type { Random } from '../random.ts';
import { hexOf, lognormal, numberOf, streamOf, uniform } from './chance.ts';
import { LOST_EVENTS, REPEATED } from './feeds.ts';
import { type Conversation, flowRecords, placeAddress } from './flow-of.ts';
import { addressOf, GATEWAY, type Host, type Organisation, PROXY } from './organisation.ts';
import { PROGRAMS, type Program, type ProgramName } from './programs.ts';
import type { BlindSpot, Theft, Truth } from './truth.ts';

export const SECOND = 1_000_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 3_600 * SECOND;
export const DAY = 24 * HOUR;
/** The first day of every simulation, a Monday. */
export const FIRST_DAY = Date.UTC(2026, 8, 7) * 1000;

/** Something that reaches the service, and when. */
export type Arrival = { readonly at: number; readonly host: number } & (
  | { readonly record: FlowRecord }
  | { readonly event: EndpointEvent }
);

export interface Proc {
  readonly ref: ProcessRef;
  readonly program: Program;
  readonly pid: number;
}

export interface StartOptions {
  readonly commandLine?: string;
  readonly parent?: Proc;
  readonly directory?: string;
  /** The feed does not tell of it. */
  readonly untold?: boolean;
}

interface Capped {
  readonly event: ConnectionEvent;
  last: number;
  count: number;
}

export class Scene {
  readonly host: Host;
  readonly day: number;
  readonly organisation: Organisation;
  readonly random: Random;
  /** Which evidence is kept from the service; set while a theft with a blind spot plays. */
  blindSpot: BlindSpot = 'full';
  activity = '';
  theft: Theft | undefined;
  private readonly arrivals: Arrival[];
  private readonly truth: Truth;
  private readonly stolen: boolean;
  private readonly residents = new Map<string, Proc>();
  private readonly capped = new Map<string, Capped>();
  private made = 0;
  private port: number;

  constructor(organisation: Organisation, host: Host, day: number, arrivals: Arrival[], truth: Truth, stream = 'work') {
    this.organisation = organisation;
    this.host = host;
    this.day = day;
    this.random = streamOf(organisation.seed, stream, host.index, day);
    this.arrivals = arrivals;
    this.stolen = stream !== 'work';
    this.truth = truth;
    this.port = 49_152 + (numberOf(organisation.seed, stream, 'port', host.index, day) % 12_000);
  }

  /** Midnight of the day. */
  get midnight(): number {
    return FIRST_DAY + this.day * DAY;
  }

  /** A time of the day by the hour, like 9.5. */
  hour(hour: number): number {
    return this.midnight + Math.round(hour * HOUR);
  }

  get profile(): string {
    return `C:\\Users\\${this.host.user.name}`;
  }

  path(path: string): string {
    return path.replace('~', this.profile);
  }

  /** A program that runs since the machine was started: daily, servers weekly. */
  resident(name: ProgramName): Proc {
    const known = this.residents.get(name);
    if (known) return known;
    const boot = this.host.role === 'server' ? Math.floor(this.day / 7) * 7 : this.day;
    const random = streamOf(this.organisation.seed, 'resident', this.host.index, boot, name);
    const at =
      FIRST_DAY + boot * DAY + Math.round((this.host.role === 'server' ? 3 : 7) * HOUR + uniform(random) * 20 * MINUTE);
    const parent =
      name === 'services' || name === 'explorer'
        ? undefined
        : this.resident(PROGRAMS[name as keyof typeof PROGRAMS] && isSystem(name) ? 'services' : 'explorer');
    const proc = this.process(PROGRAMS[name], at, `${boot}|${name}`, parent ? { parent } : {});
    this.residents.set(name, proc);
    // The day's work tells of it, a theft on the same day does not tell again.
    if (boot === this.day && !this.stolen) this.started(proc, at);
    return proc;
  }

  /** Starts a program now. */
  start(what: ProgramName | Program, at: number, options: StartOptions = {}): Proc {
    const program = typeof what === 'string' ? PROGRAMS[what] : what;
    const proc = this.process(program, at, `${this.day}|${this.made++}|${this.theft?.id ?? ''}`, options);
    if (options.untold !== true) this.started(proc, at);
    return proc;
  }

  end(proc: Proc, at: number): void {
    if (this.host.feed.processEnds) this.tell(at, { kind: 'process_end', process: this.shown(proc) });
  }

  write(proc: Proc, at: number, path: string, more: Partial<FileEvent> = {}): void {
    this.file('file_write', { op: 'create' }, proc, at, path, more);
  }

  read(proc: Proc, at: number, path: string, more: Partial<FileEvent> = {}): void {
    if (this.host.feed.reads) this.file('file_read', { op: 'read' }, proc, at, path, more);
  }

  remove(proc: Proc, at: number, path: string): void {
    this.file('file_delete', { op: 'delete' }, proc, at, path, {});
  }

  /** One conversation of a process; the record, the look-up, the connection. Returns its end. */
  send(proc: Proc, at: number, what: Conversation): number {
    const { random, host } = this;
    const started = Math.round(at);
    const local = { ip: addressOf(host, this.day, this.organisation.hosts.length), port: this.nextPort() };
    const named = what.name !== undefined && !(this.blindSpot === 'no server name');
    const server = { ip: placeAddress(what.name ?? what.ip ?? '', random), port: what.port ?? 443 };
    const proxied = host.segment === 'proxied' && what.transport !== 'udp' && server.port !== 22;
    const remote = proxied ? PROXY : server;
    const id = hexOf(
      20,
      this.organisation.seed,
      'flow',
      host.index,
      this.day,
      local.port,
      started,
      this.theft?.id ?? '',
    );
    const seen = host.segment === 'translated' ? { ip: GATEWAY, port: 1_024 + (numberOf(id) % 60_000) } : local;
    const records = flowRecords(random, {
      ...what,
      id,
      at: started,
      source: seen,
      destination: remote,
      server,
      proxied,
      named,
      hello: what.hello ?? proc.program.hello,
      // Now and then the sensor misses packets of anybody.
      lossy: this.blindSpot === 'packet loss' || random.chance(0.003),
    });
    for (const { record, end } of records.list)
      this.deliver({ at: end + Math.round(exponentialSeconds(random, 0.5)), host: host.index, record });
    if (what.name !== undefined && host.feed.lookups && !proxied && random.chance(0.4)) {
      this.tell(started - Math.round((5 + random.below(90)) * 1000), {
        kind: 'dns_query',
        process: this.shown(proc),
        name: what.name,
        answers: [server.ip],
      });
    }
    const reported = this.connection(proc, started, records.end, local, remote, what);
    this.truth.flows.set(id, {
      host: host.id,
      entityId: proc.ref.entityId,
      pid: proc.pid,
      activity: this.activity,
      reported: reported !== undefined,
      ...(this.theft ? { theft: this.theft.id } : {}),
    });
    this.theft?.sent.push({ flow: id, start: started, end: records.end, bytes: what.sent });
    return records.end;
  }

  /** Tells of what was held back to be summed; at the end of the day. */
  finish(): void {
    for (const { event, last, count } of this.capped.values()) {
      if (count < 2) continue;
      const { id: _, feed: _f, at, timeQuality: _q, host: _h, ...body } = event;
      this.tell(
        at - this.skew,
        { ...body, source: { ip: event.source.ip, port: 0 }, aggregate: { until: last + this.skew, count } },
        last + HOUR,
      );
    }
    this.capped.clear();
  }

  private get skew(): number {
    return Math.round(this.host.skewSeconds * SECOND);
  }

  private nextPort(): number {
    this.port = this.port >= 65_500 ? 49_152 : this.port + 1 + this.random.below(3);
    return this.port;
  }

  /** True when the feed says that this process opened this, be it in a sum. */
  private connection(
    proc: Proc,
    at: number,
    end: number,
    source: ConnectionEvent['source'],
    destination: ConnectionEvent['destination'],
    what: Conversation,
  ): true | undefined {
    const { feed } = this.host;
    if (feed.feed === 'none' || this.blindSpot === 'no join') return undefined;
    const body = {
      kind: 'connection',
      process: this.shown(proc),
      direction: 'egress',
      transport: what.transport ?? 'tcp',
      source,
      destination,
    } as const;
    const told = at + Math.round((0.4 + uniform(this.random) * 2.2) * SECOND);
    const key = `${proc.ref.entityId}|${destination.ip}|${destination.port}|${Math.floor(at / HOUR)}`;
    const known = this.capped.get(key);
    if (feed.connections !== 'all' && known) {
      known.last = at;
      known.count++;
      return feed.connections === 'aggregated' ? true : undefined;
    }
    const event = this.tell(told, body);
    if (feed.connections !== 'all' && event)
      this.capped.set(key, { event: event as ConnectionEvent, last: at, count: 1 });
    if (feed.feed === 'elastic-defend' && what.sent > 1e6)
      this.tell(end, { ...body, phase: 'end', bytes: { sent: what.sent, received: what.received } });
    return event === undefined ? undefined : true;
  }

  private process(program: Program, at: number, what: string, options: StartOptions): Proc {
    const { host, organisation } = this;
    const key = [organisation.seed, 'process', host.index, what] as const;
    const pid = 4 * (100 + (numberOf(...key) % 16_000));
    const system = program.system === true;
    const { feed } = host;
    const image = this.path(program.image);
    const ref: ProcessRef = {
      entityId: feed.processIds === 'pid' ? `pid:${pid}` : guidOf(hexOf(32, ...key)),
      entityKind: feed.processIds === 'pid' ? 'pid-only' : 'vendor',
      pid,
      startedAt: Math.round(at) + this.skew,
      image,
      ...(feed.versionResource && program.originalName !== undefined ? { originalName: program.originalName } : {}),
      ...(feed.versionResource && program.product !== undefined ? { product: program.product } : {}),
      ...(feed.versionResource && program.company !== undefined ? { company: program.company } : {}),
      ...(feed.signers
        ? program.signer === undefined
          ? { signatureStatus: 'unsigned' as const }
          : { signer: program.signer, signatureStatus: 'valid' as const }
        : {}),
      ...(feed.commandLines ? { commandLine: options.commandLine ?? `"${image}"` } : {}),
      ...(options.directory === undefined ? {} : { currentDirectory: options.directory }),
      user: system ? { name: 'SYSTEM', domain: 'NT AUTHORITY', id: 'S-1-5-18' } : host.user,
      logonId: system
        ? '0x3e7'
        : `0x${(numberOf(organisation.seed, 'logon', host.index, this.day) >>> 8).toString(16)}`,
      ...(options.parent ? { parent: parentOf(options.parent) } : {}),
    };
    return { ref, program, pid };
  }

  private started(proc: Proc, at: number): void {
    this.tell(at, { kind: 'process_start', process: this.shown(proc) });
  }

  /** The process as this event of this feed describes it. */
  private shown({ ref }: Proc): ProcessRef {
    if (this.blindSpot !== 'no command lines') return ref;
    const { commandLine: _, ...rest } = ref;
    return { ...rest, ...(ref.parent ? { parent: withoutLine(ref.parent) } : {}) };
  }

  private file(
    kind: FileEvent['kind'],
    { op }: Pick<FileEvent, 'op'>,
    proc: Proc,
    at: number,
    path: string,
    more: Partial<FileEvent>,
  ): void {
    const { feed } = this.host;
    if (!feed.files || this.blindSpot === 'no archive event') return;
    const { size, mimeType, ...rest } = more;
    this.tell(at, {
      kind,
      op,
      process: this.shown(proc),
      path: this.path(path),
      ...(size !== undefined && feed.sizes && this.blindSpot !== 'no size' ? { size: Math.round(size) } : {}),
      ...(mimeType !== undefined && feed.contentTypes ? { mimeType } : {}),
      ...rest,
    } as Body);
  }

  private tell(at: number, body: Body, notBefore = at): EndpointEvent | undefined {
    const { host, random } = this;
    const { feed } = host;
    const lag = lognormal(random, feed.lag.median, feed.lag.sigma) + (this.blindSpot === 'late events' ? 4 * 3_600 : 0);
    const lost = random.chance(LOST_EVENTS);
    if (feed.feed === 'none' || lost) return undefined;
    const time = Math.round(at);
    const event = {
      ...body,
      id: hexOf(24, this.organisation.seed, 'event', host.index, this.day, this.made++, this.theft?.id ?? ''),
      feed: feed.feed,
      at: time + this.skew,
      timeQuality: 'exact',
      host: { id: host.id, name: host.name, ips: [addressOf(host, this.day, this.organisation.hosts.length)] },
    } as EndpointEvent;
    this.deliver({ at: Math.round(notBefore + lag * SECOND), host: host.index, event });
    return event;
  }

  /** Senders repeat what was not acknowledged. */
  private deliver(arrival: Arrival): void {
    this.arrivals.push(arrival);
    if (this.random.chance(REPEATED)) this.arrivals.push({ ...arrival, at: arrival.at + 60 * SECOND });
  }
}

type Without<T> = T extends unknown ? Omit<T, 'id' | 'feed' | 'at' | 'timeQuality' | 'host'> : never;
type Body = Without<EndpointEvent>;

const isSystem = (name: ProgramName): boolean => (PROGRAMS[name] as Program).system === true;

const exponentialSeconds = (random: Random, mean: number): number => -Math.log(1 - uniform(random)) * mean * SECOND;

const guidOf = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const withoutLine = ({ commandLine: _, ...rest }: NonNullable<ProcessRef['parent']>) => rest;

const parentOf = ({ ref }: Proc): NonNullable<ProcessRef['parent']> => ({
  entityId: ref.entityId,
  ...(ref.pid === undefined ? {} : { pid: ref.pid }),
  ...(ref.image === undefined ? {} : { image: ref.image }),
  ...(ref.commandLine === undefined ? {} : { commandLine: ref.commandLine }),
});
