import { useEffect, useState } from 'preact/hooks';
import type { AlertList, AlertSummary } from '../view.ts';
import { formatBytes, formatTime } from './format.ts';
import { isTyping } from './keys.ts';
import { PAGE_ROWS, Pager } from './pager.tsx';
import { REVIEW_WORDS } from './review-words.ts';
import { alertHref, go, Link, withQuery } from './route.tsx';
import { SearchBox } from './search-box.tsx';
import { States } from './states.tsx';
import { Score, Tier } from './tier.tsx';
import { useAnswer } from './use-answer.ts';
import { Wire } from './wire.tsx';

interface Props {
  readonly query: URLSearchParams;
  readonly onDenied: () => void;
}

export function AlertsPage({ query, onDenied }: Props) {
  const asked = new URLSearchParams({ limit: String(PAGE_ROWS) });
  for (const name of ['q', 'tier', 'state', 'sort', 'offset']) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  const answer = useAnswer<AlertList>(`/api/alerts?${asked}`);
  return (
    <>
      <div class="head">
        <div>
          <h1>Alerts</h1>
          <Fresh known={answer.value?.known} />
        </div>
        <div class="filters">
          <SearchBox text={query.get('q') ?? ''} label="Search host, user, process, destination" />
          <Choice
            name="tier"
            label="Tier"
            query={query}
            choices={[
              ['', 'All tiers'],
              ['high', 'High'],
              ['medium', 'Medium'],
            ]}
          />
          <Choice
            name="state"
            label="State"
            query={query}
            choices={[
              ['', 'Not decided'],
              ['closed', 'Decided'],
              ['all', 'All'],
            ]}
          />
          <Choice
            name="sort"
            label="Order"
            query={query}
            choices={[
              ['', 'Strongest first'],
              ['time', 'Newest first'],
            ]}
          />
        </div>
      </div>
      <States answer={answer} onDenied={onDenied}>
        {(list) => (list.alerts.length > 0 ? <Listed list={list} /> : <Nothing list={list} />)}
      </States>
    </>
  );
}

/** Says, also to those who listen, that alerts came while the page is looked at. Its line is always there: nothing jumps. */
function Fresh({ known }: { readonly known: number | undefined }) {
  const [first, setFirst] = useState<number>();
  useEffect(() => {
    if (first === undefined && known !== undefined) setFirst(known);
  }, [known]);
  const more = first === undefined || known === undefined ? 0 : known - first;
  return (
    <p class="note fresh" role="status">
      {more > 0 && `${more} new ${more === 1 ? 'alert' : 'alerts'} since you came here.`}
    </p>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly query: URLSearchParams;
  readonly choices: readonly (readonly [string, string])[];
}

function Choice({ name, label, query, choices }: ChoiceProps) {
  return (
    <select
      aria-label={label}
      value={query.get(name) ?? ''}
      onChange={(event) => go(withQuery({ [name]: event.currentTarget.value, offset: '' }))}
    >
      {choices.map(([value, text]) => (
        <option value={value}>{text}</option>
      ))}
    </select>
  );
}

function Listed({ list }: { readonly list: AlertList }) {
  const { alerts } = list;
  const [at, setAt] = useState(-1);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = { j: 1, k: -1 }[event.key];
      if (step === undefined) return;
      const next = Math.min(alerts.length - 1, Math.max(0, at + step));
      setAt(next);
      // Enter follows the link that has the focus: nothing of ours is needed for it.
      document.querySelectorAll<HTMLAnchorElement>('.alert a.story')[next]?.focus();
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [alerts, at]);
  return (
    <>
      <ol class="alerts">
        {alerts.map((alert, index) => (
          <Row key={alert.id} alert={alert} onFocus={() => setAt(index)} />
        ))}
      </ol>
      <Pager list={list} count={alerts.length} />
    </>
  );
}

function Row({ alert, onFocus }: { readonly alert: AlertSummary; readonly onFocus: () => void }) {
  const { review } = alert;
  return (
    <li class="alert">
      <div class="rank">
        <Tier tier={alert.tier} />
        <Score probability={alert.probability} db={alert.db} />
      </div>
      <div class="what">
        <Link to={alertHref(alert.id)} class="story" onFocus={onFocus}>
          <Wire text={alert.story || alert.id} />
        </Link>
        <dl class="facts">
          <Fact name="Host" text={alert.host} />
          <Fact name="User" text={alert.user} />
          <Fact name="Process" text={alert.process} />
          <Fact name="To" text={alert.destination} />
          <div>
            <dt>Sent</dt>
            <dd>{formatBytes(alert.bytesOut)}</dd>
          </div>
        </dl>
      </div>
      <div class="when">
        <time dateTime={alert.at}>{formatTime(alert.at)}</time>
        {alert.allowed && <span class="review">– allowed by an exception</span>}
        {alert.drill && <span class="review">– announced drill</span>}
        {review && review.state !== 'open' && (
          <span class={`review ${review.state}`}>
            {REVIEW_WORDS[review.state]} · <Wire text={review.by} most={40} />
            {review.revision < alert.revision && <em> · grown since</em>}
          </span>
        )}
      </div>
    </li>
  );
}

function Fact({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text === '' ? <span class="unknown">unknown</span> : <Wire text={text} most={80} />}</dd>
    </div>
  );
}

function Nothing({ list }: { readonly list: AlertList }) {
  if (list.known > 0) {
    return (
      <div class="empty">
        <p>
          <strong>None of {list.known} alerts fits this filter.</strong>
        </p>
        <p>
          {list.open === 0 ? 'All of them are decided. ' : ''}
          <Link to="/alerts?state=all">Show all alerts</Link>
        </p>
      </div>
    );
  }
  return (
    <div class="empty">
      <p>
        <strong>No alerts yet.</strong> That is good news only where something could have been seen.
      </p>
      <p>An alert needs three things to meet on one host:</p>
      <ul>
        <li>
          flows from a sensor: <code>waybill sensor -i eth0</code>
        </li>
        <li>process, connection and file events of that host from its EDR or Sysmon</li>
        <li>a program that is no browser and sends to an unfamiliar place after something was packed</li>
      </ul>
      <p>
        <Link to="/health">Health</Link> says which of them arrive. <code>waybill demo</code> shows what alerts look
        like.
      </p>
    </div>
  );
}
