import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ServerError } from './server.ts';
import type { Answer } from './use-answer.ts';

interface StatesProps<T> {
  readonly answer: Answer<T>;
  readonly onDenied: () => void;
  readonly children: (value: T) => ComponentChildren;
}

/** Loading, failed, out of date, or there: every page is one of these. */
export function States<T>({ answer, onDenied, children }: StatesProps<T>) {
  const { value, error } = answer;
  const isDenied = error?.status === 401;
  useEffect(() => {
    if (isDenied) onDenied();
  }, [isDenied]);
  return (
    <>
      {error && !isDenied && <Failure error={error} hasValue={value !== undefined} again={answer.again} />}
      {value !== undefined && children(value)}
      {value === undefined && !error && (
        <p class="empty" role="status">
          Loading …
        </p>
      )}
    </>
  );
}

interface FailureProps {
  readonly error: ServerError;
  readonly hasValue: boolean;
  readonly again: () => void;
}

function Failure({ error, hasValue, again }: FailureProps) {
  // What the server refuses stays refused; what is away may come back.
  const isAway = error.status === 0 || error.status >= 500;
  return (
    <p class="error" role="alert">
      {error.message} {hasValue && 'What you see is the last that came.'}{' '}
      {isAway && 'This page asks again by itself every few seconds.'}{' '}
      <button type="button" onClick={again}>
        Ask again
      </button>
    </p>
  );
}
