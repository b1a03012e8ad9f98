import { useEffect } from 'preact/hooks';
import type { AlertAnswer } from '../view.ts';
import type { AlertBody } from './alert-shape.ts';
import { AllowPanel } from './allow-panel.tsx';
import { Deliveries } from './deliveries.tsx';
import { DestinationDays } from './destination-days.tsx';
import { Downloads } from './downloads.tsx';
import { Evidence } from './evidence.tsx';
import { FlowsTable } from './flows-table.tsx';
import { formatTime } from './format.ts';
import { isTyping } from './keys.ts';
import { Lineage } from './lineage.tsx';
import { ReviewPanel } from './review-panel.tsx';
import { go, Link } from './route.tsx';
import { Staging } from './staging.tsx';
import { States } from './states.tsx';
import { Score, Tier } from './tier.tsx';
import { TimeAxis } from './time-axis.tsx';
import { useAnswer } from './use-answer.ts';
import { Wire } from './wire.tsx';

interface Props {
  readonly id: string;
  /** The time axis shows all that is listed, not only from packing to sending. */
  readonly isWhole: boolean;
  readonly onDenied: () => void;
}

export function AlertPage({ id, isWhole, onDenied }: Props) {
  const answer = useAnswer<AlertAnswer>(`/api/alerts/${encodeURIComponent(id)}`);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'u' && !isTyping(event) && !event.ctrlKey && !event.metaKey && !event.altKey) go('/alerts');
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <p class="way">
        <Link to="/alerts">← Alerts</Link>
      </p>
      {answer.value === undefined && (
        <h1>
          Alert <Wire text={id} most={80} mono />
        </h1>
      )}
      <States answer={answer} onDenied={onDenied}>
        {(alert) => <Shown alert={alert} isWhole={isWhole} again={answer.again} />}
      </States>
    </>
  );
}

function Shown({
  alert,
  isWhole,
  again,
}: {
  readonly alert: AlertAnswer;
  readonly isWhole: boolean;
  readonly again: () => void;
}) {
  const body = (alert.body ?? {}) as AlertBody;
  const waybill = body.waybill ?? {};
  const staging = waybill.staging ?? [];
  const flows = waybill.flows ?? [];
  const lineage = waybill.lineage ?? [];
  return (
    <article class="one">
      <header class="title">
        <div class="line">
          <Tier tier={waybill.tier ?? ''} />
          <Score probability={waybill.probability ?? 0} db={waybill.score_db ?? 0} />
          {body['@timestamp'] && <time dateTime={body['@timestamp']}>{formatTime(body['@timestamp'])} UTC</time>}
          <span class="mono id">{alert.id}</span>
          <Downloads alert={alert} />
        </div>
        <h1>
          <Wire text={body.message ?? alert.id} most={600} />
        </h1>
      </header>
      <TimeAxis
        staging={staging}
        lineage={lineage}
        flows={flows}
        flowCount={waybill.flow_count ?? flows.length}
        isWhole={isWhole}
      />
      <div class="columns">
        <div class="wider">
          <Evidence waybill={waybill} />
        </div>
        <div class="side">
          <ReviewPanel alert={alert} onDone={again} />
          <AllowPanel body={body} onDone={again} />
          <NotSeen body={body} />
          <DestinationDays id={alert.id} />
          <Deliveries lines={alert.deliveries} />
        </div>
      </div>
      <Lineage lineage={lineage} join={waybill.join} browser={waybill.browser} />
      <FlowsTable id={alert.id} flows={flows} count={waybill.flow_count ?? flows.length} tls={body.tls} />
      <Staging staging={staging} />
      <RawEvents ids={waybill.events ?? []} />
    </article>
  );
}

function NotSeen({ body }: { readonly body: AlertBody }) {
  const { missing = [], attainable_db: most, gate, destination } = body.waybill ?? {};
  return (
    <>
      <section class="panel">
        <h2>What could not be seen</h2>
        {missing.length === 0 ? (
          <p>Nothing that the model asks for was missing.</p>
        ) : (
          <ul>
            {missing.map((sentence) => (
              <li>
                <Wire text={sentence} />
              </li>
            ))}
          </ul>
        )}
        {most !== undefined && <p class="note">Highest score attainable with what was seen: +{most.toFixed(1)} dB.</p>}
      </section>
      <section class="panel">
        <h2>Why it was scored at all</h2>
        <ul>
          {(gate?.reasons ?? []).map((reason) => (
            <li>
              <Wire text={reason} />
            </li>
          ))}
        </ul>
        <dl class="pairs">
          <dt>Destination</dt>
          <dd>
            <Wire text={destination?.entity} most={120} mono />
          </dd>
          <dt>Technique</dt>
          <dd>
            {body.threat?.technique?.subtechnique?.id?.join(', ')} · {body.rule?.id} ({body.rule?.ruleset})
          </dd>
          <dt>Model</dt>
          <dd>
            <Wire text={body.waybill?.model} />
          </dd>
        </dl>
      </section>
    </>
  );
}

function RawEvents({ ids }: { readonly ids: readonly string[] }) {
  return (
    <details class="panel">
      <summary>
        <h2>Raw endpoint events ({ids.length})</h2>
      </summary>
      <p class="note">Ids as the feed gave them: look them up in your EDR.</p>
      <ul class="ids">
        {ids.map((id) => (
          <li>
            <Wire text={id} most={120} mono />
          </li>
        ))}
      </ul>
    </details>
  );
}
