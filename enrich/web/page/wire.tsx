import { useState } from 'preact/hooks';
import { pieces } from './marks.ts';

/** Marks of one text; a text of nothing else must not become a million elements. */
const MAX_MARKS = 200;

interface WireProps {
  readonly text: string | undefined;
  /** Characters shown before the reader asks for more. */
  readonly most?: number;
  readonly mono?: boolean;
}

/** Text that came from the wire or an endpoint: only ever text, isolated from its surroundings, with nothing hidden in it. */
export function Wire({ text = '', most = 300, mono = false }: WireProps) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? text : text.slice(0, most);
  const found = pieces(shown);
  return (
    <bdi class={mono ? 'wire mono' : 'wire'}>
      {found.slice(0, MAX_MARKS).map((piece) =>
        piece.isMark ? (
          <span class="mark" title="a character that is not visible">
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
      {found.length > MAX_MARKS && ' …'}
      {text.length > shown.length && (
        <button type="button" class="more" onClick={() => setWhole(true)}>
          … {(text.length - shown.length).toLocaleString('en')} more characters
        </button>
      )}
    </bdi>
  );
}
