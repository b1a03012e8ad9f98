import type { AlertBody, FlowFields } from './alert-shape.ts';
import { Packets } from './downloads.tsx';
import { formatBytes, formatSeconds, millisOf } from './format.ts';
import { Scroll } from './scroll.tsx';
import { Wire } from './wire.tsx';

interface Props {
  /** Of the alert. */
  readonly id: string;
  readonly flows: readonly FlowFields[];
  readonly count: number;
  /** Of the flow that sent most. */
  readonly tls: AlertBody['tls'];
}

export function FlowsTable({ id, flows, count, tls }: Props) {
  return (
    <section class="panel">
      <h2>Connections ({count})</h2>
      {tls && (
        <p class="note">
          TLS {tls.version ?? '?'} · JA3 <Wire text={tls.client?.ja3 ?? 'none'} mono /> · certificate{' '}
          {tls.server?.issuer ? (
            <Wire text={`${tls.server.subject ?? '?'}, issued by ${tls.server.issuer}`} />
          ) : (
            'not visible'
          )}
        </p>
      )}
      <Scroll name="Connections">
        <table>
          <thead>
            <tr>
              {[
                'Start',
                'Took',
                'Packets',
                'Server name',
                'Address',
                'Sent',
                'Received',
                'JA4',
                'Joined by',
                'Community ID',
              ].map((name) => (
                <th scope="col">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {flows.map((flow) => (
              <tr>
                <td>
                  <time dateTime={flow.start}>{flow.start.slice(11, 23)}</time>
                </td>
                <td>{took(flow)}</td>
                <td>
                  <Packets id={id} flow={flow.flow_id} />
                </td>
                <td>{flow.domain ? <Wire text={flow.domain} most={80} /> : <span class="unknown">none</span>}</td>
                <td>
                  <Wire text={flow.destination} most={60} mono />
                </td>
                <td>
                  <strong>{formatBytes(flow.bytes_out)}</strong>
                  {flow.bytes_exact === false && <span title="packets were missing: from sequence numbers"> ≈</span>}
                </td>
                <td>{formatBytes(flow.bytes_in)}</td>
                <td>{flow.ja4 ? <Wire text={flow.ja4} mono /> : <span class="unknown">none</span>}</td>
                <td>
                  {flow.join ?? 'none'} {flow.pid !== undefined && `[${flow.pid}]`}
                </td>
                <td>
                  <Wire text={flow.community_id} most={60} mono />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {count > flows.length && (
        <p class="note">
          The first {flows.length} of {count} are listed; all are counted.
        </p>
      )}
    </section>
  );
}

function took({ start, end }: FlowFields): string {
  const millis = Math.max(0, millisOf(end) - millisOf(start));
  return millis < 1000 ? `${Math.round(millis)} ms` : formatSeconds(millis / 1000);
}
