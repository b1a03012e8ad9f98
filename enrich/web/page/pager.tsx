import type { Paged } from '../view.ts';
import { formatCount } from './format.ts';
import { Link, withQuery } from './route.tsx';

export const PAGE_ROWS = 50;

/** Where in a list we are, and the ways on. */
export function Pager({ list, count }: { readonly list: Paged; readonly count: number }) {
  const { matched, offset } = list;
  return (
    <div class="pager">
      {count > 0 && (
        <span>
          {formatCount(offset + 1)}–{formatCount(offset + count)} of {formatCount(matched)}
        </span>
      )}
      {offset > 0 && (
        <Link to={withQuery({ offset: offset > PAGE_ROWS ? String(offset - PAGE_ROWS) : '' })}>← Previous</Link>
      )}
      {offset + count < matched && <Link to={withQuery({ offset: String(offset + PAGE_ROWS) })}>Next →</Link>}
      {list.capped && <span class="note">{list.capped}</span>}
    </div>
  );
}
