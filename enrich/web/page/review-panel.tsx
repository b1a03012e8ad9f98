import { useState } from 'preact/hooks';
import type { AlertAnswer, ReviewState } from '../view.ts';
import { formatTime } from './format.ts';
import { REVIEW_WORDS } from './review-words.ts';
import { send } from './server.ts';
import { Wire } from './wire.tsx';

const NAME_KEY = 'waybill.analyst';
const CHOICES: readonly ReviewState[] = ['acknowledged', 'true_positive', 'false_positive', 'open'];

/** What analysts decided so far, and the form for the next word on it. */
export function ReviewPanel({ alert, onDone }: { readonly alert: AlertAnswer; readonly onDone: () => void }) {
  const [by, setBy] = useState(localStorage.getItem(NAME_KEY) ?? '');
  const [note, setNote] = useState('');
  const [said, setSaid] = useState<{ text: string; isError: boolean }>();
  const [isSending, setSending] = useState(false);
  const latest = alert.reviews.at(-1);

  const decide = async (state: ReviewState) => {
    if (by.trim() === '') {
      setSaid({ text: 'Sign with your name first.', isError: true });
      return;
    }
    localStorage.setItem(NAME_KEY, by.trim());
    setSending(true);
    try {
      await send(`/api/alerts/${encodeURIComponent(alert.id)}/reviews`, { state, note, by, revision: alert.revision });
      setNote('');
      setSaid({ text: `Kept: ${REVIEW_WORDS[state].toLowerCase()}.`, isError: false });
      onDone();
    } catch (error) {
      setSaid({ text: (error as Error).message, isError: true });
    } finally {
      setSending(false);
    }
  };

  return (
    <section class="panel review-panel">
      <h2>Decision</h2>
      <p class="now">
        {latest && latest.state !== 'open' ? (
          <span class={`review ${latest.state}`}>{REVIEW_WORDS[latest.state]}</span>
        ) : (
          'Not decided yet.'
        )}
        {latest && latest.revision < alert.revision && ' The alert has grown since.'}
      </p>
      <label for="by">Your name</label>
      <input id="by" maxLength={64} autocomplete="username" value={by} onInput={(e) => setBy(e.currentTarget.value)} />
      <label for="note">Note</label>
      <textarea id="note" rows={3} maxLength={2000} value={note} onInput={(e) => setNote(e.currentTarget.value)} />
      <div class="buttons">
        {CHOICES.filter((state) => state !== 'open' || (latest && latest.state !== 'open')).map((state) => (
          <button type="button" disabled={isSending} onClick={() => void decide(state)}>
            {state === 'open' ? 'Open again' : state === 'acknowledged' ? 'Acknowledge' : REVIEW_WORDS[state]}
          </button>
        ))}
      </div>
      <p role="status" class={said?.isError ? 'error' : 'note'}>
        {said?.text}
      </p>
      {alert.reviews.length > 0 && (
        <ol class="history">
          {[...alert.reviews].reverse().map((review) => (
            <li>
              <strong>{REVIEW_WORDS[review.state]}</strong> · <Wire text={review.by} most={64} /> ·{' '}
              <time dateTime={review.at}>{formatTime(review.at)}</time>
              {review.note && (
                <p>
                  <Wire text={review.note} most={400} />
                </p>
              )}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
