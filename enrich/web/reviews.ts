import { randomUUID } from 'node:crypto';
import { formatMicros } from '../../sensor/base/timestamp.ts';
import type { Fact, Store } from '../store/store.ts';
import { REVIEW_STATES, type Review, type ReviewState } from './view.ts';

/** All reviews lie in one series, so that a list of alerts needs one read. */
const SHARD = 'console:reviews';
/** Reviews that are read back: the newest. */
const MAX_REVIEWS = 10_000;
/** Reviews of one alert. */
const MAX_OF_ONE = 100;
/** Characters of a note and of a signature. */
export const MAX_NOTE = 2_000;
export const MAX_BY = 64;

interface ReviewBody extends Omit<Review, 'at'> {
  readonly alert: string;
}

/** Adds a review. Nothing is overwritten: the newest holds, the older ones are the record of what was thought when. */
export async function addReview(store: Store, alert: string, review: Omit<Review, 'at'>, at: number): Promise<Review> {
  const { state, note, by, token, revision } = review;
  const body: ReviewBody = { alert, state, note, by, token, revision };
  const fact: Fact = { shard: SHARD, kind: 'review', id: randomUUID(), at, keys: [`alert:${alert}`], version: 0, body };
  await store.put([fact]);
  return reviewOf(fact);
}

/** Reviews of one alert, oldest first. */
export async function reviewsOf(store: Store, alert: string): Promise<Review[]> {
  return (await store.find(SHARD, 'review', `alert:${alert}`, MAX_OF_ONE)).map(reviewOf);
}

/** The newest review of each alert. */
export async function latestReviews(store: Store): Promise<Map<string, Review>> {
  const latest = new Map<string, Review>();
  for (const fact of await store.between(SHARD, 'review', 0, Number.MAX_SAFE_INTEGER, MAX_REVIEWS)) {
    latest.set((fact.body as ReviewBody).alert, reviewOf(fact));
  }
  return latest;
}

/** A review as a page sent it, or why it is none. */
export function readReview(
  value: unknown,
): { state: ReviewState; note: string; by: string; revision: number } | string {
  if (typeof value !== 'object' || value === null) return 'expected an object';
  const { state, note, by, revision } = value as Record<string, unknown>;
  const known = REVIEW_STATES.find((s) => s === state);
  if (known === undefined) return `state must be one of ${REVIEW_STATES.join(', ')}`;
  if (typeof note !== 'string' || note.length > MAX_NOTE) return `note must be text of at most ${MAX_NOTE} characters`;
  if (typeof by !== 'string' || by.trim() === '' || by.length > MAX_BY) {
    return `by must be a name of 1 to ${MAX_BY} characters`;
  }
  if (typeof revision !== 'number' || !Number.isFinite(revision)) return 'revision must be a number';
  return { state: known, note, by: by.trim(), revision };
}

function reviewOf(fact: Fact): Review {
  const { state, note, by, token, revision } = fact.body as ReviewBody;
  return { state, note, by, token, revision, at: formatMicros(fact.at) };
}
