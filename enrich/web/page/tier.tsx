import { formatDb, formatProbability } from './format.ts';

/** Tier in words and form, so that no colour is needed to read it. */
export function Tier({ tier }: { readonly tier: string }) {
  const known = tier === 'high' || tier === 'medium' ? tier : 'other';
  return <span class={`tier ${known}`}>{tier || 'unknown'}</span>;
}

export function Score({ probability, db }: { readonly probability: number; readonly db: number }) {
  return (
    <span class="score">
      <strong title="probability that this is exfiltration">P {formatProbability(probability)}</strong>{' '}
      <span title="score in decibels: 0 is even odds">{formatDb(db)} dB</span>
    </span>
  );
}
