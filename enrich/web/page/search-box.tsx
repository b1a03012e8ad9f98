import { useEffect, useState } from 'preact/hooks';
import { go, withQuery } from './route.tsx';

/** Keystrokes that follow within this time are one search, milliseconds. */
const PAUSE = 200;

/** A search whose text is in the address. */
export function SearchBox({ text, label }: { readonly text: string; readonly label: string }) {
  const [draft, setDraft] = useState(text);
  useEffect(() => setDraft(text), [text]);
  useEffect(() => {
    if (draft === text) return;
    const timer = setTimeout(() => go(withQuery({ q: draft, offset: '' }), true), PAUSE);
    return () => clearTimeout(timer);
  }, [draft]);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={`${label}  ( / )`}
      maxLength={200}
      value={draft}
      onInput={(event) => setDraft(event.currentTarget.value)}
      onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
    />
  );
}
