import { useState } from 'preact/hooks';
import type { ExceptionRow, ExceptionsAnswer } from '../view.ts';
import { formatBytes, formatCount } from './format.ts';
import { Scroll } from './scroll.tsx';
import { send } from './server.ts';
import { States } from './states.tsx';
import { useAnswer } from './use-answer.ts';
import { Wire } from './wire.tsx';

/** Covering is reckoned over stored alerts: one look a minute. */
const EVERY = 60_000;

export function ExceptionsPage({ onDenied }: { readonly onDenied: () => void }) {
  const answer = useAnswer<ExceptionsAnswer>('/api/exceptions', EVERY);
  return (
    <>
      <div class="head">
        <div>
          <h1>Exceptions</h1>
          <p class="about">
            Somebody answers for it that a program may send to a destination. Covered alerts stay stored, marked, and
            are not sent on. An exception is made on the page of an alert, or with <code>waybill allow add</code>.
          </p>
        </div>
      </div>
      <States answer={answer} onDenied={onDenied}>
        {(value) => <Listed value={value} again={answer.again} />}
      </States>
    </>
  );
}

function Listed({ value, again }: { readonly value: ExceptionsAnswer; readonly again: () => void }) {
  const { exceptions, why, capped } = value;
  const [said, setSaid] = useState('');
  const remove = async (id: string) => {
    try {
      await send(`/api/exceptions/${encodeURIComponent(id)}/remove`, {});
      setSaid(`Removed ${id}: what it covered is an alert again.`);
      again();
    } catch (error) {
      setSaid((error as Error).message);
    }
  };
  return (
    <>
      {why && <p class="note">{why}</p>}
      <p role="status" class="note">
        {said}
      </p>
      {exceptions.length === 0 ? (
        <p class="empty">No exceptions: every alert is told.</p>
      ) : (
        <Scroll name="Exceptions">
          <table>
            <thead>
              <tr>
                {['Program', 'Destination', 'State', 'Until', 'Only', 'Owner and reason', 'Change'].map((name) => (
                  <th scope="col">{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {exceptions.map((each) => (
                <Row key={each.id} each={each} onRemove={why ? undefined : () => void remove(each.id)} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {capped && <p class="note">{capped}</p>}
    </>
  );
}

function Row({ each, onRemove }: { readonly each: ExceptionRow; readonly onRemove: (() => void) | undefined }) {
  const { id, identity, image, signer, destination, expires, host, user, owner, reason, max_bytes: most } = each;
  const only = [host && `on ${host}`, user && `by ${user}`, most && `up to ${formatBytes(most)}`].filter(Boolean);
  return (
    <tr>
      <th scope="row">
        <Wire text={[identity, image, signer && `signed by ${signer}`].filter(Boolean).join(', ')} most={120} />
        <small class="mono">{id}</small>
      </th>
      <td>
        <Wire text={destination} most={80} />
      </td>
      <td>{stateOf(each)}</td>
      <td>{expires.slice(0, 10)}</td>
      <td>{only.length > 0 ? <Wire text={only.join(', ')} most={120} /> : <span class="unknown">everything</span>}</td>
      <td>
        <Wire text={`${owner}: ${reason}`} most={160} />
      </td>
      <td>
        <button type="button" disabled={onRemove === undefined} onClick={onRemove} aria-label={`Remove ${id}`}>
          Remove
        </button>
      </td>
    </tr>
  );
}

function stateOf({ expired, uses }: ExceptionRow) {
  if (expired) return <strong class="warn">▲ expired</strong>;
  if (uses === 0) return <span class="warn">unused</span>;
  return `covers ${formatCount(uses)}`;
}
