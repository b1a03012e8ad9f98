import { GROUP_NAMES } from '../../score/verdict.ts';
import type { GroupFields, TermFields, WaybillPart } from './alert-shape.ts';
import { formatDb, formatProbability } from './format.ts';
import { Wire } from './wire.tsx';

/** Raw events named under one piece of evidence. */
const NAMED_EVENTS = 4;

const TIER_WORDS: ReadonlyMap<string, string> = new Map([
  ['high', 'high'],
  ['medium', 'medium'],
]);

/** Every decibel: prior, groups with their caps, terms, and what the score would be without each. */
export function Evidence({ waybill }: { readonly waybill: WaybillPart }) {
  const { groups = [], terms = [], prior = 0, score_db: db = 0, probability = 0 } = waybill;
  const without = new Map((waybill.counterfactuals ?? []).map((c) => [c.term, c.probability]));
  const withoutGroup = new Map((waybill.without_groups ?? []).map((g) => [g.group, g]));
  const scale = scaleOf(groups, terms);
  return (
    <section class="panel evidence">
      <h2>Evidence</h2>
      <p class="note">
        Decibels: +10 makes it ten times as likely, −10 a tenth. A group counts at most its cap, so that many witnesses
        of one thing do not add up to several.
      </p>
      <div class="sum">
        <span>Before any evidence</span>
        <strong>{prior > 0 && prior < 1 ? `${formatDb(10 * Math.log10(prior / (1 - prior)))} dB` : 'unknown'}</strong>
        <span class="note">1 in {prior > 0 ? Math.round(1 / prior).toLocaleString('en') : '?'} activities</span>
      </div>
      {groups.map((group) => (
        <GroupRows
          group={group}
          terms={terms.filter((t) => t.group === group.group)}
          without={without}
          rest={withoutGroup.get(group.group)}
          scale={scale}
        />
      ))}
      <div class="sum total">
        <span>Score</span>
        <strong>{formatDb(db)} dB</strong>
        <span class="note">probability {formatProbability(probability)}</span>
      </div>
    </section>
  );
}

/** Percent of the bar's width for a decibel, and where zero lies. */
interface Scale {
  readonly zero: number;
  readonly perDb: number;
}

function scaleOf(groups: readonly GroupFields[], terms: readonly TermFields[]): Scale {
  const all = [...groups.flatMap((g) => [g.db, g.sum, g.cap]), ...terms.map((t) => t.db)].filter(Number.isFinite);
  const low = Math.min(-6, ...all);
  const high = Math.max(6, ...all);
  const perDb = 100 / (high - low);
  return { zero: -low * perDb, perDb };
}

interface GroupProps {
  readonly group: GroupFields;
  readonly terms: readonly TermFields[];
  readonly without: ReadonlyMap<string, number>;
  /** What the alert would be without the whole group. */
  readonly rest: NonNullable<WaybillPart['without_groups']>[number] | undefined;
  readonly scale: Scale;
}

function GroupRows({ group, terms, without, rest, scale }: GroupProps) {
  const name = Object.entries(GROUP_NAMES).find(([letter]) => letter === group.group)?.[1] ?? group.group;
  const title = name === 'tls' ? 'TLS' : name;
  const isCapped = Math.abs(group.sum - group.db) > 0.005;
  return (
    <section class="group">
      <h3>
        <span class="name">{title}</span>
        <Bar db={group.db} scale={scale} cap={group.cap} isGroup />
        <strong class="db">{formatDb(group.db)}</strong>
      </h3>
      <p class="note">
        {terms.length === 0
          ? 'nothing to weigh'
          : isCapped
            ? `sum ${formatDb(group.sum)}, counted up to the cap of ${group.cap} dB`
            : `cap ${group.cap} dB`}
        {rest && terms.length > 0 && (
          <span class="without">
            without this group {formatDb(rest.score_db)} dB, P {formatProbability(rest.probability)},{' '}
            {TIER_WORDS.get(rest.tier) ?? 'no alert'}
          </span>
        )}
      </p>
      {terms.length > 0 && (
        <ul>
          {terms.map((term) => (
            <li>
              <span class="name mono">{term.name}</span>
              <Bar db={term.db} scale={scale} />
              <span class="db">{formatDb(term.db)}</span>
              <div class="detail">
                <Wire text={term.detail} />
                {without.has(term.name) && (
                  <span class="without">without it P {formatProbability(without.get(term.name)!)}</span>
                )}
                {(term.evidence ?? []).length > 0 && (
                  <small>
                    from <Wire text={term.evidence!.slice(0, NAMED_EVENTS).join(', ')} mono />
                    {term.evidence!.length > NAMED_EVENTS && ` and ${term.evidence!.length - NAMED_EVENTS} more`}
                  </small>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

interface BarProps {
  readonly db: number;
  readonly scale: Scale;
  readonly cap?: number;
  readonly isGroup?: boolean;
}

/** A bar from zero, to the right for evidence and to the left against it; the sign stands beside it as text. */
function Bar({ db, scale, cap, isGroup = false }: BarProps) {
  const length = Math.abs(db) * scale.perDb;
  const from = db < 0 ? scale.zero - length : scale.zero;
  return (
    <span class={isGroup ? 'bar whole' : 'bar'} aria-hidden="true">
      <span class={db < 0 ? 'against' : 'for'} style={{ left: `${from}%`, width: `${length}%` }} />
      <span class="zero" style={{ left: `${scale.zero}%` }} />
      {cap !== undefined && <span class="cap" style={{ left: `${scale.zero + cap * scale.perDb}%` }} />}
    </span>
  );
}
