import type { StoredAlert } from '../store/store.ts';
import { type AlertParts, isHigh, isWithdrawn } from './alert-parts.ts';
import { inspectText } from './terminal-text.ts';

/** Characters of one value: chats cut messages at a few thousand, and nobody reads more. */
const MAX_TEXT = 500;
/** Slack's limit of a header. */
const MAX_HEADER = 150;

/**
 * An alert for a Slack incoming webhook. All text is of the type `plain_text`, in which outsiders' words can neither mention
 * anybody nor make a link.
 */
export function toSlack(alert: StoredAlert): Record<string, unknown> {
  const { title, story, facts } = messageOf(alert);
  const plain = (text: string) => ({ type: 'plain_text', text, emoji: false });
  return {
    // Shown in notifications. Slack reads markup in it: with these three characters escaped there is none.
    text: `${title}: ${story}`.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;' })[c] ?? '&gt;'),
    blocks: [
      { type: 'header', text: plain(title.slice(0, MAX_HEADER)) },
      { type: 'section', text: plain(story) },
      { type: 'section', fields: facts.map(([name, value]) => plain(`${name}: ${value}`)) },
    ],
  };
}

/** An alert for a Teams workflow webhook: an adaptive card of text runs, which know no markup. */
export function toTeams(alert: StoredAlert): Record<string, unknown> {
  const { title, story, facts } = messageOf(alert);
  const line = (text: string, more: object = {}) => ({
    type: 'RichTextBlock',
    inlines: [{ type: 'TextRun', text, ...more }],
  });
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            line(title, { size: 'large', weight: 'bolder' }),
            line(story),
            ...facts.map(([name, value]) => line(`${name}: ${value}`)),
          ],
        },
      },
    ],
  };
}

function messageOf({ id, body }: StoredAlert) {
  const alert = body as AlertParts;
  const { host, user, process, destination, waybill } = alert;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Host', host?.name ?? host?.id],
    ['User', user?.name],
    ['Process', process?.executable ?? process?.name],
    ['Destination', destination?.domain ?? destination?.ip],
    ['Probability', waybill?.probability?.toFixed(3)],
    ['Alert', id],
  ];
  return {
    title: isWithdrawn(alert)
      ? 'Withdrawn: exfiltration no longer suspected'
      : `${isHigh(alert) ? 'HIGH' : 'MEDIUM'}: exfiltration suspected`,
    story: short(alert.message ?? id),
    facts: facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, short(value)] as const])),
  };
}

const short = (text: string): string => inspectText(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
