import { textOf } from './field-values.ts';
import { at, isObject, type JsonObject, own } from './json-object.ts';

/** The alerts of a page of Trellix HX; undefined when it is none. */
export function alertsOfPage(object: JsonObject): readonly unknown[] | undefined {
  const list = own(object, 'alerts') ?? at(object, 'data.entries');
  if (!Array.isArray(list)) return undefined;
  return list.some((entry) => isObject(entry) && isObject(own(entry, 'event_values'))) ? list : undefined;
}

/** At most so many elements of an answer of Cybereason's query API, where they stand by their keys; undefined when it is none. */
export function elementsOfAnswer(object: JsonObject, most: number): readonly unknown[] | undefined {
  const map = at(object, 'data.resultIdToElementDataMap') ?? own(object, 'resultIdToElementDataMap');
  if (!isObject(map)) return undefined;
  // An element that does not say its key has it as its name here.
  return Object.entries(map)
    .slice(0, most)
    .map(([guid, element]) => {
      const isNamed = !isObject(element) || textOf(own(element, 'guidString')) !== undefined;
      return isNamed ? element : { ...element, guidString: guid };
    });
}
