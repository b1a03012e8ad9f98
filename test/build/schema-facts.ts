/** What a schema says of one field: a plain type, the values allowed, an object of the table, or a list of one of these. */
export type FieldFact = string | readonly (string | number)[];

export interface ObjectFacts {
  readonly required: readonly string[];
  readonly fields: Readonly<Record<string, FieldFact>>;
  readonly atLeastOne?: readonly string[];
}

const PLAIN: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  whole: (value) => Number.isSafeInteger(value),
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  truth: (value) => typeof value === 'boolean',
  ip: (value) => typeof value === 'string' && /^[\da-f.:]+$/i.test(value),
  port: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535,
  date: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value),
  any: () => true,
};

/**
 * Everything in which a document differs from what a schema says of it: fields it does not know, fields it misses, values of
 * another type or outside an enumeration. `list of X` is an array of X.
 */
export function complaintsAbout(
  value: unknown,
  type: string,
  tables: ReadonlyMap<string, ObjectFacts>,
  at = '',
): string[] {
  const facts = tables.get(type);
  if (!facts) return PLAIN[type]?.(value) === true ? [] : [`${at}: ${JSON.stringify(value)} is no ${type}`];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at}: is no object (${type})`];
  const given = Object.entries(value).filter(([, v]) => v !== undefined);
  const names = new Set(given.map(([name]) => name));
  const { required, atLeastOne } = facts;
  return [
    ...required.filter((name) => !names.has(name)).map((name) => `${at}.${name}: is required`),
    ...(atLeastOne && !atLeastOne.some((name) => names.has(name))
      ? [`${at}: needs one of ${atLeastOne.join(', ')}`]
      : []),
    ...given.flatMap(([name, v]) => {
      const fact = Object.hasOwn(facts.fields, name) ? facts.fields[name] : undefined;
      if (fact === undefined) return [`${at}.${name}: the schema does not know it`];
      return ofFact(v, fact, tables, `${at}.${name}`);
    }),
  ];
}

function ofFact(value: unknown, fact: FieldFact, tables: ReadonlyMap<string, ObjectFacts>, at: string): string[] {
  if (typeof fact !== 'string')
    return fact.includes(value as never) ? [] : [`${at}: ${value} is not in ${fact.join(', ')}`];
  if (fact.startsWith('list of ')) {
    if (!Array.isArray(value)) return [`${at}: is no list`];
    return value.flatMap((each, i) => complaintsAbout(each, fact.slice('list of '.length), tables, `${at}[${i}]`));
  }
  return complaintsAbout(value, fact, tables, at);
}
