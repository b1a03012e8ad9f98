import { type FlowRow, type Rows, SEARCH_FIELDS } from '../view.ts';
import { fileName, formatBytes, formatTime } from './format.ts';
import { PAGE_ROWS, Pager } from './pager.tsx';
import { alertHref, go, Link, withQuery } from './route.tsx';
import { Scroll } from './scroll.tsx';
import { SearchBox } from './search-box.tsx';
import { States } from './states.tsx';
import { useAnswer } from './use-answer.ts';
import { Wire } from './wire.tsx';

/** A search reads much of the store: one look in half a minute. */
const EVERY = 30_000;
const WORDS: ReadonlyMap<string, string> = new Map([
  ['any', 'Anything'],
  ['host', 'Host'],
  ['process', 'Process'],
  ['destination', 'Destination name'],
  ['ip', 'Address'],
  ['ja4', 'JA4'],
  ['community_id', 'Community ID'],
]);
const COLUMNS = ['Start (UTC)', 'Alert', 'Host', 'Process', 'Destination', 'Sent', 'Received', 'JA4', 'Community ID'];

interface Props {
  readonly query: URLSearchParams;
  readonly onDenied: () => void;
}

/** Waybills: every flow that was given to a host, with the process that made it. */
export function SearchPage({ query, onDenied }: Props) {
  const asked = new URLSearchParams({ limit: String(PAGE_ROWS) });
  for (const name of ['q', 'field', 'from', 'to', 'offset']) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  const answer = useAnswer<Rows<FlowRow>>(`/api/flows?${asked}`, EVERY);
  return (
    <>
      <div class="head">
        <div>
          <h1>Search</h1>
          <p class="about">Waybills: connections with the host and the process that made them, newest first.</p>
        </div>
        <div class="filters">
          <SearchBox text={query.get('q') ?? ''} label="Search connections" />
          <select
            aria-label="Search in"
            value={query.get('field') ?? 'any'}
            onChange={(e) => go(withQuery({ field: e.currentTarget.value, offset: '' }))}
          >
            {SEARCH_FIELDS.map((field) => (
              <option value={field}>{WORDS.get(field)}</option>
            ))}
          </select>
          {(['from', 'to'] as const).map((name) => (
            <label class="day">
              {name === 'from' ? 'From' : 'To'}{' '}
              <input
                type="date"
                value={query.get(name) ?? ''}
                onChange={(e) => go(withQuery({ [name]: e.currentTarget.value, offset: '' }))}
              />
            </label>
          ))}
        </div>
      </div>
      <States answer={answer} onDenied={onDenied}>
        {(list) => (list.rows.length === 0 ? <Nothing capped={list.capped} /> : <Found list={list} />)}
      </States>
    </>
  );
}

function Found({ list }: { readonly list: Rows<FlowRow> }) {
  return (
    <>
      <Scroll name="Connections">
        <table>
          <thead>
            <tr>
              {COLUMNS.map((name) => (
                <th scope="col">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {list.rows.map((flow) => (
              <Row flow={flow} />
            ))}
          </tbody>
        </table>
      </Scroll>
      <Pager list={list} count={list.rows.length} />
    </>
  );
}

function Row({ flow }: { readonly flow: FlowRow }) {
  return (
    <tr>
      <th scope="row">
        <time dateTime={flow.at}>{formatTime(flow.at)}</time>
      </th>
      <td>{flow.alert ? <Link to={alertHref(flow.alert)}>alert</Link> : <span class="unknown">none</span>}</td>
      <td>
        <Wire text={flow.host} most={60} />
      </td>
      <td>{flow.process ? <Wire text={fileName(flow.process)} most={60} /> : <span class="unknown">unknown</span>}</td>
      <td>
        <Wire text={flow.destination || flow.address} most={80} />
        {flow.destination && (
          <small>
            <Wire text={flow.address} most={60} mono />
          </small>
        )}
      </td>
      <td>{formatBytes(flow.bytesOut)}</td>
      <td>{formatBytes(flow.bytesIn)}</td>
      <td>{flow.ja4 ? <Wire text={flow.ja4} most={60} mono /> : <span class="unknown">none</span>}</td>
      <td>
        <Wire text={flow.communityId} most={60} mono />
      </td>
    </tr>
  );
}

function Nothing({ capped }: { readonly capped: string | undefined }) {
  return (
    <div class="empty">
      <p>
        <strong>No connection fits.</strong> Only connections that were given to a host are waybills; Health says how
        many are. <Link to="/health">Health</Link>
      </p>
      {capped && <p class="note">{capped}</p>}
    </div>
  );
}
