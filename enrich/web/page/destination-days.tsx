import type { DestinationHistory } from '../view.ts';
import { formatBytes } from './format.ts';
import { useAnswer } from './use-answer.ts';
import { Wire } from './wire.tsx';

/** Days of the past change rarely: one look a minute. */
const EVERY = 60_000;

/** What went to the destination on each of the last days: a strip of bars, and the same as a sentence. */
export function DestinationDays({ id }: { readonly id: string }) {
  const { value, error } = useAnswer<DestinationHistory>(`/api/alerts/${encodeURIComponent(id)}/history`, EVERY);
  return (
    <section class="panel days-panel">
      <h2>This destination, day by day</h2>
      {value ? <Days history={value} /> : <p class="note">{error ? error.message : 'Looking …'}</p>}
    </section>
  );
}

function Days({ history }: { readonly history: DestinationHistory }) {
  const { name, days, knownSince, capped } = history;
  const used = days.filter(({ flows }) => flows > 0);
  const most = Math.max(1, ...days.map(({ bytesOut }) => bytesOut));
  const [first, last] = [days[0]?.day ?? '', days.at(-1)?.day ?? ''];
  const peak = used.find(({ bytesOut }) => bytesOut === most);
  return (
    <>
      <svg
        viewBox={`0 0 ${days.length * 8} 48`}
        class="days"
        preserveAspectRatio="none"
        role="img"
        aria-label={`Bytes sent by day, ${first} to ${last}`}
      >
        {days.map(({ day, flows, bytesOut }, n) => {
          const height = flows === 0 ? 1 : Math.max(4, (46 * bytesOut) / most);
          return (
            <rect x={n * 8 + 1} y={48 - height} width="6" height={height} class={flows === 0 ? 'none' : 'some'}>
              <title>{flows === 0 ? `${day}: nothing` : `${day}: ${formatBytes(bytesOut)} in ${flows} flows`}</title>
            </rect>
          );
        })}
      </svg>
      <p class="ends">
        <span>{first}</span>
        <span>{last}</span>
      </p>
      <p class="note">
        This host sent to <Wire text={name} most={80} /> on {used.length} of {days.length} days
        {peak && `, most on ${peak.day}: ${formatBytes(peak.bytesOut)}`}.{' '}
        {knownSince === undefined
          ? 'No habit of anybody here is known for it.'
          : `First seen from here on ${knownSince}.`}{' '}
        {capped}
      </p>
    </>
  );
}
