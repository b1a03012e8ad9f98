import { useEffect, useRef, useState } from 'preact/hooks';
import type { FlowFields, ProcessFields, StagingFields } from './alert-shape.ts';
import {
  type Happening,
  type Placed,
  placed,
  type Span,
  type Story,
  sentSoFar,
  spanOf,
  storyOf,
  ticksOf,
} from './axis-layout.ts';
import { formatBytes, formatSeconds } from './format.ts';
import { Link, withQuery } from './route.tsx';

const ROW = 22;
const LANE_GAP = 14;
const CURVE = 90;
const MOST_ROWS = 6;

interface Props {
  readonly staging: readonly StagingFields[];
  readonly lineage: readonly ProcessFields[];
  readonly flows: readonly FlowFields[];
  /** Flows of the episode; `flows` lists the first of them. */
  readonly flowCount: number;
  readonly isWhole: boolean;
}

/** What was packed, what ran, what was sent, on one axis: the sum of bytes sent rises to the line of what was packed. */
export function TimeAxis({ staging, lineage, flows, flowCount, isWhole }: Props) {
  const [box, width] = useWidth();
  const story = storyOf(staging, lineage, flows);
  const span = spanOf(story, staging, isWhole);
  const before = [...story.packings, ...story.processes].filter((h) => h.to < span.from);
  return (
    <section class="panel axis" aria-label="Time axis">
      <Balance story={story} flowCount={flowCount} listed={flows.length} />
      <div ref={box}>{width > 0 && <Drawing story={story} span={span} width={width} />}</div>
      <p class="note">
        Times are UTC.{' '}
        {before.length > 0 && (
          <>
            Earlier:{' '}
            {before
              .slice(0, 4)
              .map((h) => `${h.label} (${formatSeconds((span.from - h.from) / 1000)} before)`)
              .join(', ')}
            {before.length > 4 && ` and ${before.length - 4} more`}.{' '}
          </>
        )}
        {(before.length > 0 || isWhole) && (
          <Link to={withQuery({ axis: isWhole ? '' : 'whole' })}>
            {isWhole ? 'Show packing to sending' : 'Show everything'}
          </Link>
        )}
      </p>
    </section>
  );
}

function Balance({
  story,
  flowCount,
  listed,
}: {
  readonly story: Story;
  readonly flowCount: number;
  readonly listed: number;
}) {
  const { packed, sent } = story;
  const most = Math.max(packed ?? 0, sent, 1);
  const bar = (bytes: number) => ({ width: `${Math.max(0.5, (100 * bytes) / most)}%` });
  return (
    <dl class="balance">
      <dt>Packed</dt>
      <dd>
        <span class="track">{packed !== undefined && <span class="fill packed" style={bar(packed)} />}</span>
        <strong>{packed === undefined ? 'size not known' : formatBytes(packed)}</strong>
      </dd>
      <dt>Sent</dt>
      <dd>
        <span class="track">
          <span class="fill sent" style={bar(sent)} />
        </span>
        <strong>
          {formatBytes(sent)}
          {packed !== undefined && packed > 0 && ` · ${Math.round((100 * sent) / packed)} %`}
          {flowCount > 1 && ` in ${flowCount} connections`}
          {flowCount > listed && ` (${listed} listed)`}
        </strong>
      </dd>
    </dl>
  );
}

function Drawing({ story, span, width }: { readonly story: Story; readonly span: Span; readonly width: number }) {
  const isNarrow = width < 560;
  const left = isNarrow ? 8 : 84;
  const inner = width - left - 8;
  const x = (time: number) => left + ((time - span.from) / (span.to - span.from)) * inner;
  // What reaches beyond the axis is drawn from its edge.
  const inside = <T extends Happening>(items: readonly T[]) =>
    items
      .filter((h) => h.to >= span.from && h.from <= span.to)
      .map((h) => ({ ...h, from: Math.max(h.from, span.from), to: Math.min(h.to, span.to) }));
  const lanes = [
    { name: 'Packed', kind: 'packed', rows: placed(inside(story.packings), x, width, MOST_ROWS) },
    { name: 'Started', kind: 'started', rows: placed(inside(story.processes), x, width, MOST_ROWS) },
    { name: 'Sending', kind: 'sending', rows: placed<Happening>(inside(story.sendings), x, width, MOST_ROWS) },
  ].filter(({ rows }) => rows.rows > 0);
  let y = isNarrow ? 18 : 8;
  const drawn = lanes.map((lane) => {
    const top = y;
    y += lane.rows.rows * ROW + LANE_GAP + (isNarrow ? 14 : 0);
    return { ...lane, top };
  });
  const curveTop = y;
  const bottom = curveTop + CURVE;
  return (
    <svg width={width} height={bottom + 24} role="img" aria-label={summary(story)}>
      {ticksOf(span, inner).map(({ at, text }) => (
        <g class="tick">
          <line x1={x(at)} x2={x(at)} y1={0} y2={bottom} />
          <text x={Math.min(width - 34, Math.max(34, x(at)))} y={bottom + 16} text-anchor="middle">
            {text}
          </text>
        </g>
      ))}
      {drawn.map(({ name, kind, rows, top }) => (
        <g class={`lane ${kind}`}>
          <text class="lane-name" x={isNarrow ? left : 0} y={isNarrow ? top - 4 : top + 15}>
            {name}
            {rows.hidden > 0 ? ` (+${rows.hidden})` : ''}
          </text>
          {rows.placed.map((p) => (
            <Item placed={p} top={top} kind={kind} />
          ))}
        </g>
      ))}
      <Curve
        story={story}
        x={x}
        top={curveTop}
        left={isNarrow ? left : 0}
        start={left}
        right={width - 8}
        end={span.to}
      />
      <line class="base" x1={left} x2={width - 8} y1={bottom} y2={bottom} />
    </svg>
  );
}

function Item({
  placed: { item, row, x, width, isLeft },
  top,
  kind,
}: {
  readonly placed: Placed<Happening>;
  readonly top: number;
  readonly kind: string;
}) {
  const y = top + row * ROW;
  return (
    <g>
      <title>{item.title}</title>
      {kind === 'started' ? (
        <path class="shape" d={`M${x} ${y + 4}l7 6-7 6z`} />
      ) : (
        <rect class="shape" x={x} y={y + 3} width={width} height={14} rx={2} />
      )}
      <text
        x={isLeft ? x - 5 : x + (kind === 'started' ? 10 : width + 5)}
        y={y + 14}
        text-anchor={isLeft ? 'end' : 'start'}
      >
        {item.label}
      </text>
    </g>
  );
}

interface CurveProps {
  readonly story: Story;
  readonly x: (time: number) => number;
  readonly top: number;
  /** Of the lane's name, and of the drawing. */
  readonly left: number;
  readonly start: number;
  readonly right: number;
  readonly end: number;
}

function Curve({ story, x, top, left, start, right, end }: CurveProps) {
  const points = sentSoFar(story.sendings);
  const most = Math.max(story.sent, story.packed ?? 0, 1) * 1.12;
  const y = (bytes: number) => top + CURVE * (1 - bytes / most);
  const last = points.at(-1);
  if (!last) return null;
  const line = points.map(({ at, bytes }) => `${x(at).toFixed(1)} ${y(bytes).toFixed(1)}`);
  const until = Math.max(x(last.at), x(end));
  // The line begins when the archive was ready; sending may have begun before, or the packing lie off the axis.
  const ready = Math.max(start, Math.min(x(story.packedAt ?? 0), x(points[0]!.at)));
  const isRoomy = x(points[0]!.at) - start > 110;
  return (
    <g class="curve">
      <text class="lane-name" x={left} y={top + CURVE / 2}>
        Bytes sent
      </text>
      <path
        class="area"
        d={`M${x(points[0]!.at)} ${y(0)}L${line.join('L')}L${until} ${y(last.bytes)}L${until} ${y(0)}z`}
      />
      <path class="line" d={`M${line.join('L')}L${until} ${y(last.bytes)}`} />
      {story.packed !== undefined && (
        <>
          <line class="goal" x1={ready} x2={right} y1={y(story.packed)} y2={y(story.packed)} />
          <text
            class="goal-name"
            x={isRoomy ? x(points[0]!.at) - 6 : ready}
            y={y(story.packed) + 14}
            text-anchor={isRoomy ? 'end' : 'start'}
          >
            packed {formatBytes(story.packed)}
          </text>
        </>
      )}
    </g>
  );
}

function summary({ packings, sendings, packed, sent }: Story): string {
  const what = packed === undefined ? `${packings.length} packings of unknown size` : `${formatBytes(packed)} packed`;
  return `${what}, then ${formatBytes(sent)} sent in ${sendings.length} connections. The tables below hold the same.`;
}

/** Width of an element as it is laid out, 0 before that is known. */
function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(ref.current!);
    return () => observer.disconnect();
  }, []);
  return [ref, width] as const;
}
