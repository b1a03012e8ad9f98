import type { ComponentChildren } from 'preact';
import type { DestinationRow, FingerprintRow, HostRow, Rows } from '../view.ts';
import { fileName, formatBytes, formatCount, formatTime } from './format.ts';
import { PAGE_ROWS, Pager } from './pager.tsx';
import { Link } from './route.tsx';
import { Scroll } from './scroll.tsx';
import { SearchBox } from './search-box.tsx';
import { States } from './states.tsx';
import { useAnswer } from './use-answer.ts';
import { Wire } from './wire.tsx';

interface Props {
  readonly query: URLSearchParams;
  readonly onDenied: () => void;
}

export function HostsPage(props: Props) {
  return (
    <Table<HostRow>
      {...props}
      path="hosts"
      title="Hosts"
      about="Who sent: every host that a flow or an endpoint event was given to."
      search="Search host or address"
      columns={['Host', 'Alerts', 'Flows', 'Process named', 'Process events', 'Packings', 'Last flow', 'Last event']}
      row={(host) => [
        <>
          <Wire text={host.name} most={80} />
          <small>
            <Wire text={host.ips.join(', ')} most={60} mono />
          </small>
        </>,
        <AlertCount count={host.alerts} text={host.name} />,
        formatCount(host.flows),
        host.looked === 0 ? '–' : `${Math.floor((100 * host.named) / host.looked)} %`,
        host.processEvents === 0 ? <strong class="warn">none</strong> : formatCount(host.processEvents),
        formatCount(host.staging),
        <Time iso={host.lastFlow} />,
        <Time iso={host.lastEvent} />,
      ]}
      nothing="No host yet. Send endpoint events and flows: a host appears with the first of them."
    />
  );
}

export function DestinationsPage(props: Props) {
  return (
    <Table<DestinationRow>
      {...props}
      path="destinations"
      title="Destinations"
      about="Where to: names (or addresses without one) that joined flows went to, most bytes first."
      search="Search destination or program"
      columns={['Destination', 'Alerts', 'Sent', 'Received', 'Flows', 'Hosts', 'Programs', 'First', 'Last']}
      row={(d) => [
        <Wire text={d.name} most={80} />,
        <AlertCount count={d.alerts} text={d.name} />,
        formatBytes(d.bytesOut),
        formatBytes(d.bytesIn),
        formatCount(d.flows),
        formatCount(d.hosts),
        <Programs names={d.processes} />,
        <Time iso={d.first} />,
        <Time iso={d.last} />,
      ]}
      nothing="No destination yet: no flow was given to a host."
    />
  );
}

export function FingerprintsPage(props: Props) {
  return (
    <Table<FingerprintRow>
      {...props}
      path="fingerprints"
      title="Fingerprints"
      about="JA4 of the client's hello, and the programs seen here to send it. The rarest first."
      search="Search JA4 or program"
      columns={['JA4', 'Programs', 'Hosts', 'Flows', 'Without a process', 'Destinations', 'Last']}
      row={(f) => [
        <Wire text={f.ja4} mono />,
        f.programs.length === 0 ? (
          <span class="unknown">unknown</span>
        ) : (
          <ul class="plain">
            {f.programs.map(({ image, flows }) => (
              <li>
                <Wire text={fileName(image)} most={60} /> <small class="inline">× {formatCount(flows)}</small>
              </li>
            ))}
          </ul>
        ),
        formatCount(f.hosts),
        formatCount(f.flows),
        formatCount(f.unnamed),
        formatCount(f.destinations),
        <Time iso={f.last} />,
      ]}
      nothing="No fingerprint yet: no TLS hello was joined to a host."
    />
  );
}

interface TableProps<Row> extends Props {
  readonly path: string;
  readonly title: string;
  readonly about: string;
  readonly search: string;
  readonly columns: readonly string[];
  readonly row: (row: Row) => readonly ComponentChildren[];
  readonly nothing: string;
}

function Table<Row>({ query, onDenied, path, title, about, search, columns, row, nothing }: TableProps<Row>) {
  const asked = new URLSearchParams({
    limit: String(PAGE_ROWS),
    q: query.get('q') ?? '',
    offset: query.get('offset') ?? '0',
  });
  const answer = useAnswer<Rows<Row>>(`/api/${path}?${asked}`);
  return (
    <>
      <div class="head">
        <div>
          <h1>{title}</h1>
          <p class="about">{about}</p>
        </div>
        <div class="filters">
          <SearchBox text={query.get('q') ?? ''} label={search} />
        </div>
      </div>
      <States answer={answer} onDenied={onDenied}>
        {(list) =>
          list.rows.length === 0 ? (
            <p class="empty">{query.get('q') ? 'Nothing fits this search.' : nothing}</p>
          ) : (
            <>
              <Scroll name={title}>
                <table>
                  <thead>
                    <tr>
                      {columns.map((name) => (
                        <th scope="col">{name}</th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {list.rows.map((r) => (
                      <tr>{row(r).map((cell, i) => (i === 0 ? <th scope="row">{cell}</th> : <td>{cell}</td>))}</tr>
                    ))}
                  </tbody>
                </table>
              </Scroll>
              <Pager list={list} count={list.rows.length} />
            </>
          )
        }
      </States>
    </>
  );
}

function AlertCount({ count, text }: { readonly count: number; readonly text: string }) {
  if (count === 0) return <span class="unknown">0</span>;
  return (
    <Link to={`/alerts?${new URLSearchParams({ state: 'all', q: text.slice(0, 200) })}`} class="count">
      {count} {count === 1 ? 'alert' : 'alerts'}
    </Link>
  );
}

function Programs({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return <span class="unknown">unknown</span>;
  return <Wire text={names.map(fileName).join(', ')} most={90} />;
}

function Time({ iso }: { readonly iso: string | undefined }) {
  return iso === undefined ? <span class="unknown">never</span> : <time dateTime={iso}>{formatTime(iso)}</time>;
}
