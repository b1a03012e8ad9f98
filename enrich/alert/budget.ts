import type { StoredAlert } from '../store/store.ts';

/** Where an alert stands among those of its day, and whether the budget holds it back. */
export interface BudgetMark {
  /** 1 for the most probable of its UTC day. */
  readonly rank: number;
  /** Alerts of that day. */
  readonly of: number;
  readonly per_day: number;
  readonly held: boolean;
}

interface Body {
  readonly event?: { readonly start?: string };
  readonly waybill?: {
    readonly probability?: number;
    readonly score_db?: number;
    readonly allowed?: unknown;
    readonly budget?: BudgetMark;
  };
}
const bodyOf = (alert: StoredAlert): Body => alert.body as Body;

/** UTC day on which what an alert is about began: it does not move while the alert grows. */
export const dayOfAlert = (alert: StoredAlert): string => bodyOf(alert).event?.start?.slice(0, 10) ?? '';

/**
 * Alerts with their place in the budget of their day under `waybill.budget`. Those beyond it are held: ranked, counted and
 * shown, but not told. Which ones is a function of the alerts alone, whatever order they came in. What an exception covers
 * takes no place.
 * @param among all alerts of the days in question; the alerts themselves when left out
 */
export function withBudget(
  alerts: readonly StoredAlert[],
  perDay: number | undefined,
  among: readonly StoredAlert[] = alerts,
): StoredAlert[] {
  if (perDay === undefined) return [...alerts];
  const days = new Map<string, StoredAlert[]>();
  for (const alert of among) {
    if (bodyOf(alert).waybill?.allowed !== undefined) continue;
    const day = dayOfAlert(alert);
    const known = days.get(day);
    if (known) known.push(alert);
    else days.set(day, [alert]);
  }
  const marks = new Map<string, BudgetMark>();
  for (const ofDay of days.values()) {
    ofDay.sort(mostProbableFirst);
    for (const [index, { id }] of ofDay.entries()) {
      marks.set(id, { rank: index + 1, of: ofDay.length, per_day: perDay, held: index >= perDay });
    }
  }
  return alerts.map((alert) => {
    const budget = marks.get(alert.id);
    const body = bodyOf(alert);
    return budget === undefined ? alert : { ...alert, body: { ...body, waybill: { ...body.waybill, budget } } };
  });
}

const mostProbableFirst = (a: StoredAlert, b: StoredAlert): number => {
  const [one, other] = [bodyOf(a).waybill, bodyOf(b).waybill];
  return (
    (other?.probability ?? 0) - (one?.probability ?? 0) ||
    (other?.score_db ?? 0) - (one?.score_db ?? 0) ||
    (a.id < b.id ? -1 : 1)
  );
};

/** The budget of its day does not reach to this alert. */
export const isHeld = (alert: StoredAlert): boolean => bodyOf(alert).waybill?.budget?.held === true;
