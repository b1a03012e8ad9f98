/** Splits a CEF line as its format says: at separators that no backslash escapes. */
export function readCef(line: string): { head: string[]; fields: Map<string, string> } {
  const parts = line.split(/(?<=(?<!\\)(?:\\\\)*)\|/);
  const head = parts.slice(0, 7);
  const extension = parts.slice(7).join('|');
  const marks = [...extension.matchAll(/(?:^| )([A-Za-z0-9]+)(?<=(?<!\\)(?:\\\\)*)=/g)];
  const fields = new Map<string, string>();
  for (const [i, mark] of marks.entries()) {
    const value = extension.slice(mark.index + mark[0].length, marks[i + 1]?.index ?? extension.length);
    fields.set(mark[1]!, value.replace(/\\([\\=])/g, '$1'));
  }
  return { head, fields };
}
