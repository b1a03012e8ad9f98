import type { HealthAnswer } from '../view.ts';
import { Drills } from './drills.tsx';
import { States } from './states.tsx';
import { useAnswer } from './use-answer.ts';
import { Wire } from './wire.tsx';

const WORDS = { fine: '✓ fine', look: '▲ look', fact: '' } as const;

export function HealthPage({ onDenied }: { readonly onDenied: () => void }) {
  const answer = useAnswer<HealthAnswer>('/api/health');
  return (
    <>
      <div class="head">
        <div>
          <h1>Health</h1>
          <p class="about">
            Could an exfiltration have been seen at all? What is missing is said here, not scored as innocence.
          </p>
        </div>
      </div>
      <States answer={answer} onDenied={onDenied}>
        {({ sections }) =>
          sections.map(({ title, rows }) => (
            <section class="panel">
              <h2>{title}</h2>
              <dl class="health">
                {rows.map((row) => (
                  <div class={row.state}>
                    <dt>{row.name}</dt>
                    <dd class="value">
                      <Wire text={row.value} /> <span class="state">{WORDS[row.state]}</span>
                    </dd>
                    <dd class="note">
                      <Wire text={row.note} />
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))
        }
      </States>
      <Drills onDenied={onDenied} />
    </>
  );
}
