/** What the rules of today found and raised, counted as Waybill is. */
import { OUT_OF_REACH, perThousand, type Share, share } from './figures.ts';
import { RULES } from './rules-of-today.ts';
import type { Outcome } from './run-detection.ts';
import { DAY, FIRST_DAY } from './scene.ts';

export interface RuleFigures {
  readonly rule: string;
  readonly recall: Share;
  readonly inReach: Share;
  /** A day and 1,000 hosts, one for each address, destination and day. */
  readonly falseAlerts: number;
}

/** The rules of today after the warm-up, beside Waybill on the same flows. */
export function ruleFigures(outcomes: readonly Outcome[]): RuleFigures[] {
  return RULES.map((rule) => {
    let found = 0;
    let all = 0;
    let foundInReach = 0;
    let inReach = 0;
    let judged = 0;
    const wrong = new Set<string>();
    for (const { options, truth, rules, flows, hostDays } of outcomes) {
      const raised = rules.get(rule)!;
      judged += hostDays.judged;
      for (const theft of truth.thefts) {
        if (theft.sent.length === 0) continue;
        const hit = theft.sent.some(({ flow }) => raised.has(flow)) ? 1 : 0;
        all++;
        found += hit;
        if (OUT_OF_REACH.has(theft.blindSpot)) continue;
        inReach++;
        foundInReach += hit;
      }
      for (const id of raised) {
        const flow = flows.get(id)!;
        if (truth.flows.get(id)?.theft !== undefined || flow.start < FIRST_DAY + options.warmUp * DAY) continue;
        wrong.add(`${options.seed}|${flow.source}|${flow.destination}|${Math.floor(flow.start / DAY)}`);
      }
    }
    return {
      rule,
      recall: share(found, all),
      inReach: share(foundInReach, inReach),
      falseAlerts: perThousand(wrong.size, judged),
    };
  });
}
