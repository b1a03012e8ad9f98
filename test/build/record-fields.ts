/** Reads the fields of the flow record, with their comments, out of its source: TypeScript keeps neither at run time. */

export interface RecordField {
  /** Dotted path, a question mark after what may be absent. */
  readonly path: string;
  readonly type: string;
  readonly comment: string;
}

interface Member {
  readonly name: string;
  readonly type: string;
  readonly comment: string;
}

/** The leaves of interface `name`, in the order of the source. */
export function recordFields(source: string, name: string): RecordField[] {
  const interfaces = new Map(
    [...source.matchAll(/export interface (\w+) (?=\{)/g)].map((found) => {
      const open = found.index + found[0].length;
      return [found[1]!, source.slice(open, matching(source, open) + 1)];
    }),
  );
  return leaves(interfaces.get(name) ?? '{}', '', '', interfaces);
}

function leaves(type: string, path: string, comment: string, interfaces: ReadonlyMap<string, string>): RecordField[] {
  // An intersection names interfaces first and ends in a literal.
  const literal = type.indexOf('{');
  const named = (literal < 0 ? type : type.slice(0, literal)).split('&');
  const body = [
    ...named.map((part) => interfaces.get(part.trim()) ?? ''),
    literal < 0 ? '' : type.slice(literal),
  ].filter((part) => part !== '');
  if (body.length === 0) return [{ path, type: type.replace(/\s+/g, ' '), comment }];
  const group = comment === '' || path === '' ? [] : [{ path, type: 'object', comment }];
  const inner = body.flatMap(members).flatMap((member) => {
    const below = path === '' ? member.name : `${path}.${member.name}`;
    return leaves(member.type, below, member.comment, interfaces);
  });
  return [...group, ...inner];
}

function members(body: string): Member[] {
  const found: Member[] = [];
  const member = /\s*(?:\/\*\*([\s\S]*?)\*\/\s*)?'?([\w@]+)'?(\??):\s*/y;
  member.lastIndex = 1;
  for (;;) {
    const head = member.exec(body);
    if (!head) return found;
    const end = endOfType(body, member.lastIndex);
    const comment = (head[1] ?? '').replace(/\s*\n\s*\*\s?/g, ' ').trim();
    found.push({ name: `${head[2]}${head[3]}`, type: body.slice(member.lastIndex, end).trim(), comment });
    member.lastIndex = end + 1;
  }
}

/** Index of the semicolon (or closing brace, for the last member of a line) that ends the type at `from`. */
function endOfType(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('/*', at)) at = text.indexOf('*/', at) + 1;
    else if (text[at] === '{') depth++;
    else if (text[at] === '}' && depth-- === 0) return at;
    else if (text[at] === ';' && depth === 0) return at;
  }
  return text.length;
}

/** Index of the brace that closes the one at `open`. */
function matching(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text.startsWith('/*', at)) at = text.indexOf('*/', at) + 1;
    else if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  return text.length;
}
