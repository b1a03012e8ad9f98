import { useEffect, useState } from 'preact/hooks';
import { ask, ServerError } from './server.ts';

/** Between two looks at the server unless said otherwise, milliseconds. */
const EVERY = 5_000;

export interface Answer<T> {
  /** The last good answer to this very question. */
  readonly value: T | undefined;
  /** Why the newest attempt failed. */
  readonly error: ServerError | undefined;
  /** Ask at once. */
  readonly again: () => void;
}

interface Known<T> {
  readonly path: string;
  readonly text: string;
  readonly value: T;
}

/**
 * Asks now and again while the page is looked at, sooner when it failed. An answer that says the same changes nothing on
 * the page.
 */
export function useAnswer<T>(path: string, every = EVERY): Answer<T> {
  const [known, setKnown] = useState<Known<T>>();
  const [error, setError] = useState<ServerError>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      let wait = every;
      if (!document.hidden) {
        try {
          const text = await ask(path, abort.signal);
          setKnown((old) =>
            old?.path === path && old.text === text ? old : { path, text, value: JSON.parse(text) as T },
          );
          setError(undefined);
        } catch (reason) {
          if (abort.signal.aborted) return;
          wait = Math.min(every, EVERY);
          setError(reason instanceof ServerError ? reason : new ServerError(0, String(reason)));
        }
      }
      if (!abort.signal.aborted) timer = setTimeout(look, wait);
    };
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [path, round]);
  return { value: known?.path === path ? known.value : undefined, error, again: () => setRound((n) => n + 1) };
}
