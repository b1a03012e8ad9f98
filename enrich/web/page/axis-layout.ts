import type { FlowFields, ProcessFields, StagingFields } from './alert-shape.ts';
import { mainStaging } from './alert-shape.ts';
import { fileName, formatBytes, millisOf } from './format.ts';
import { marked } from './marks.ts';

/** Something that happened, on its way to the axis. Times in milliseconds. */
export interface Happening {
  readonly from: number;
  readonly to: number;
  readonly label: string;
  /** The whole of it, for a pointer that rests there. */
  readonly title: string;
}

export interface Story {
  readonly packings: readonly Happening[];
  readonly processes: readonly Happening[];
  readonly sendings: readonly (Happening & { readonly bytes: number })[];
  /** Size of the packed files the story is about; undefined when no feed said it. */
  readonly packed: number | undefined;
  /** When they were ready; undefined like `packed`. */
  readonly packedAt: number | undefined;
  readonly sent: number;
}

/** Characters of one label. */
const MAX_LABEL = 40;

export function storyOf(
  staging: readonly StagingFields[],
  lineage: readonly ProcessFields[],
  flows: readonly FlowFields[],
): Story {
  const main = mainStaging(staging);
  return {
    packings: staging.map((s) => ({
      from: millisOf(s.at),
      to: Math.max(millisOf(s.at), millisOf(s.until)),
      label: label(
        `${s.archive ? fileName(s.archive) : (s.reasons?.[0] ?? 'staging')}${s.size === undefined ? '' : ` ${formatBytes(s.size)}`}`,
      ),
      title: marked((s.reasons ?? []).join('; ')),
    })),
    processes: lineage
      .filter((p) => p.start !== undefined)
      .map((p) => {
        const at = millisOf(p.start!);
        const name = p.name ?? (p.executable ? fileName(p.executable) : '?');
        return { from: at, to: at, label: label(`${name} [${p.pid ?? '?'}]`), title: marked(p.command_line ?? name) };
      })
      .sort((a, b) => a.from - b.from),
    sendings: flows
      .map((f) => ({
        from: millisOf(f.start),
        to: Math.max(millisOf(f.start), millisOf(f.end)),
        bytes: f.bytes_out,
        label: formatBytes(f.bytes_out),
        title: marked(
          `${f.domain ?? f.destination ?? ''}: ${formatBytes(f.bytes_out)} out, ${formatBytes(f.bytes_in)} in`,
        ),
      }))
      .sort((a, b) => a.from - b.from),
    packed: main?.size,
    packedAt: main?.size === undefined ? undefined : millisOf(main.until),
    sent: flows.reduce((sum, f) => sum + f.bytes_out, 0),
  };
}

const label = (text: string): string => marked(text, MAX_LABEL);

export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * The time that the axis shows. Closely: from the packing the alert is about to the last byte. Wholly: everything the
 * alert lists, from a process of the morning on.
 */
export function spanOf(story: Story, staging: readonly StagingFields[], isWhole: boolean): Span {
  const main = mainStaging(staging);
  const mainFrom = main ? millisOf(main.at) : Number.POSITIVE_INFINITY;
  const close = [
    // What was still being packed when the main packing began belongs to the picture.
    ...story.packings.filter((h) => h.to >= mainFrom && h.from <= mainFrom).map((h) => h.from),
    ...(main ? [mainFrom, millisOf(main.until)] : []),
    ...story.sendings.flatMap((s) => [s.from, s.to]),
  ];
  const all = [...story.packings, ...story.processes, ...story.sendings].flatMap((h) => [h.from, h.to]);
  const times = isWhole || close.length === 0 ? all : close;
  const first = times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const last = times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(first)) return { from: 0, to: 1 };
  const margin = Math.max(250, (last - first) * 0.06);
  return { from: first - margin, to: last + margin };
}

const STEPS = [
  100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3, 7200e3, 10800e3,
  21600e3, 43200e3, 86400e3,
];

/** Times worth a line on an axis of `width` pixels, with their text (UTC). */
export function ticksOf({ from, to }: Span, width: number): { at: number; text: string }[] {
  const wanted = Math.max(2, Math.floor(width / 110));
  const step = STEPS.find((s) => (to - from) / s <= wanted) ?? Math.ceil((to - from) / wanted / 86400e3) * 86400e3;
  const ticks: { at: number; text: string }[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const iso = new Date(at).toISOString();
    const text =
      step >= 86400e3
        ? iso.slice(0, 10)
        : step >= 60e3
          ? iso.slice(11, 16)
          : step >= 1e3
            ? iso.slice(11, 19)
            : iso.slice(11, 21);
    ticks.push({ at, text });
  }
  return ticks;
}

export interface Placed<T> {
  readonly item: T;
  readonly row: number;
  /** Pixels. */
  readonly x: number;
  readonly width: number;
  /** The label stands left of the item, where there is more room. */
  readonly isLeft: boolean;
}

export interface Rows<T> {
  readonly placed: readonly Placed<T>[];
  readonly rows: number;
  /** Items for which no row was left. */
  readonly hidden: number;
}

/** Pixels of one character of a label and between two items. */
const CHARACTER = 6.6;
const GAP = 10;
const LEAST_WIDTH = 4;

/** Puts items with their labels into as few rows as hold them without touching, at most `mostRows`. */
export function placed<T extends Happening>(
  items: readonly T[],
  x: (time: number) => number,
  width: number,
  mostRows: number,
): Rows<T> {
  const rows: { from: number; to: number }[][] = [];
  const found: Placed<T>[] = [];
  let hidden = 0;
  for (const item of items) {
    const at = x(item.from);
    const long = Math.max(LEAST_WIDTH, x(item.to) - at);
    const text = item.label.length * CHARACTER + GAP;
    const isLeft = at + long + text > width && at > width / 2;
    const span = isLeft ? { from: at - text, to: at + long + GAP } : { from: at, to: at + long + text };
    let row = rows.findIndex((taken) => taken.every((other) => span.to <= other.from || span.from >= other.to));
    if (row < 0 && rows.length < mostRows) row = rows.push([]) - 1;
    if (row < 0) {
      hidden++;
      continue;
    }
    rows[row]!.push(span);
    found.push({ item, row, x: at, width: long, isLeft });
  }
  return { placed: found, rows: rows.length, hidden };
}

/** Bytes sent so far, as points of a line: each flow's bytes spread evenly over its time. */
export function sentSoFar(sendings: Story['sendings']): { at: number; bytes: number }[] {
  const times = [...new Set(sendings.flatMap((s) => [s.from, s.to]))].sort((a, b) => a - b);
  return times.map((at) => ({
    at,
    bytes: sendings.reduce((sum, s) => {
      if (at >= s.to) return sum + s.bytes;
      return at <= s.from ? sum : sum + (s.bytes * (at - s.from)) / (s.to - s.from);
    }, 0),
  }));
}
