import type { JsonObject } from '../json-object.ts';
import { scanXml } from '../xml-scan.ts';

/** Most fields of one item; the largest has some thirty. */
const MAX_FIELDS = 128;
/** Most elements inside each other that are followed. */
const MAX_DEPTH = 16;

/** Whether a text is one item of a `stateagentinspector` or `eventbuffer` acquisition. */
export const isEventItem = (text: string): boolean => /^<eventItem[\s>]/.test(text);

/**
 * One `eventItem` of a triage in the form in which the API has it. Its fields stand as `<detail>` pairs of `<name>` and `<value>`, or
 * (older schemas) as elements inside one that is named like the event. Source: `stateagentinspectoritem.xsd` as quoted in the tests
 * of yampelo/beagle.
 */
export function readEventItem(xml: string): JsonObject {
  const top = new Map<string, string>();
  const values = new Map<string, string>();
  const open: string[] = [];
  let name: string | undefined;
  let text = '';
  const remember = (map: Map<string, string>, key: string, value: string): void => {
    if (map.size < MAX_FIELDS && !map.has(key)) map.set(key, value);
  };
  scanXml(xml, {
    open(element, attribute) {
      if (open.length === 0) remember(top, 'uid', attribute('uid') ?? '');
      if (open.length < MAX_DEPTH) open.push(element);
      if (element.endsWith('Event') && open.length === 2) remember(top, 'event_type', element);
      text = '';
    },
    close(element) {
      if (open.at(-1) !== element) return;
      open.pop();
      const parent = open.at(-1);
      if (parent === 'detail' && element === 'name') name = text;
      else if (parent === 'detail' && element === 'value' && name !== undefined) remember(values, name, text);
      else if (parent?.endsWith('Event') === true) remember(values, element, text);
      else if (parent === 'eventItem' && element === 'eventType') remember(top, 'event_type', text);
      else if (parent === 'eventItem') remember(top, element, text);
      if (element === 'detail') name = undefined;
      text = '';
    },
    text(more) {
      text += more;
    },
  });
  return { ...Object.fromEntries(top), event_values: Object.fromEntries(values) };
}
