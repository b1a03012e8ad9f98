import type { ReviewState } from '../view.ts';

export const REVIEW_WORDS: Readonly<Record<ReviewState, string>> = {
  open: 'Open again',
  acknowledged: 'Acknowledged',
  true_positive: 'True positive',
  false_positive: 'False positive',
};
