import type { DeliveryLine } from '../view.ts';
import { formatTime } from './format.ts';
import { Wire } from './wire.tsx';

const WORDS: ReadonlyMap<string, string> = new Map([
  ['waiting', '… waiting'],
  ['sent', '✓ sent'],
  ['allowed', '– held back: an exception covers it'],
  ['withdrawn', '– withdrawn by later evidence'],
  ['refused', '▲ refused'],
  ['given_up', '▲ given up'],
  ['dropped', '▲ dropped'],
]);

/** What became of the alert at each way out. */
export function Deliveries({ lines }: { readonly lines: readonly DeliveryLine[] }) {
  return (
    <section class="panel deliveries">
      <h2>Sent on to</h2>
      {lines.length === 0 ? (
        <p class="note">No way out has it. service.outputs in the settings names those that alerts are sent to.</p>
      ) : (
        <dl class="pairs">
          {lines.map(({ output, state, attempts, at, why }) => (
            <>
              <dt>
                <Wire text={output} most={60} />
              </dt>
              <dd>
                {WORDS.get(state) ?? state}
                <small>
                  {formatTime(at)} · {attempts} {attempts === 1 ? 'attempt' : 'attempts'}
                  {why !== undefined && ' · '}
                  <Wire text={why} most={200} />
                </small>
              </dd>
            </>
          ))}
        </dl>
      )}
    </section>
  );
}
