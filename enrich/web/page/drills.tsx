import type { DrillLine, DrillsAnswer } from '../view.ts';
import { formatSeconds, formatTime } from './format.ts';
import { Scroll } from './scroll.tsx';
import { States } from './states.tsx';
import { useAnswer } from './use-answer.ts';
import { Wire } from './wire.tsx';

/** Drills that the history shows; the newest. */
const SHOWN = 20;

/** What the last drill showed of every point of evidence, how to mend what is missing, and the drills before. */
export function Drills({ onDenied }: { readonly onDenied: () => void }) {
  const answer = useAnswer<DrillsAnswer>('/api/drills');
  return (
    <section class="panel drills">
      <h2>Drills</h2>
      <States answer={answer} onDenied={onDenied}>
        {({ drills }) =>
          drills.length === 0 ? (
            <p class="note">
              No drill yet. <code>waybill drill</code> on a host packs and sends a harmless archive and says which
              evidence of it came here: the surest way to know that a theft would be seen.
            </p>
          ) : (
            <>
              <Latest drill={drills[0]!} />
              {drills.length > 1 && <History drills={drills.slice(0, SHOWN)} count={drills.length} />}
            </>
          )
        }
      </States>
    </section>
  );
}

function Latest({ drill: { at, host, report } }: { readonly drill: DrillLine }) {
  const missing = report?.points.filter(({ seen }) => !seen) ?? [];
  return (
    <>
      <p>
        The last, {formatTime(at)} on <Wire text={host} most={80} />:{' '}
        <strong>
          {report === undefined ? 'no report came' : report.passed ? '✓ the alert came' : '▲ the alert did not come'}
        </strong>
        {report?.seconds_to_alert !== undefined && ` after ${formatSeconds(report.seconds_to_alert)}`}
        {missing.length > 0 && `; missing: ${missing.map(({ point }) => point).join(', ')}`}
      </p>
      {report && (
        <dl class="health">
          {report.points.map(({ point, seen, late_seconds: late, detail, mend }) => (
            <div class={seen ? 'fine' : 'look'}>
              <dt>{point}</dt>
              <dd class="value">
                {late === undefined ? '' : `${formatSeconds(late)} late `}
                <span class="state">{seen ? '✓ seen' : '▲ missing'}</span>
              </dd>
              <dd class="note">
                <Wire text={detail} />
                {mend !== undefined && (
                  <>
                    {' '}
                    To mend: <Wire text={mend} />
                  </>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

function History({ drills, count }: { readonly drills: readonly DrillLine[]; readonly count: number }) {
  return (
    <>
      <Scroll name="Drills">
        <table>
          <thead>
            <tr>
              {['When', 'Host', 'To', 'Alert', 'Missing', 'Announced by'].map((name) => (
                <th scope="col">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {drills.map(({ id, at, host, to, by, report }) => (
              <tr key={id}>
                <th scope="row">{formatTime(at)}</th>
                <td>
                  <Wire text={host} most={80} />
                </td>
                <td>
                  <Wire text={`${to.ip} port ${to.port}`} most={60} mono />
                </td>
                <td>{report === undefined ? 'no report' : report.passed ? '✓ came' : '▲ did not come'}</td>
                <td>
                  {report?.points
                    .filter(({ seen }) => !seen)
                    .map(({ point }) => point)
                    .join(', ') || <span class="unknown">nothing known</span>}
                </td>
                <td>
                  <Wire text={by} most={60} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {count > drills.length && <p class="note">The newest {drills.length} are listed.</p>}
    </>
  );
}
