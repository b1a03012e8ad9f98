/** The paths and answers of Splunk's HTTP Event Collector, as its clients expect them. */
import { RecencyMap } from '../../sensor/base/recency-map.ts';
import type { HttpAnswer, HttpRefusal } from './http-answer.ts';

/** Channels whose acknowledgements are remembered; the one not used for longest goes. */
const MAX_CHANNELS = 1_000;
const MAX_CHANNEL_CHARS = 128;
/** Ids asked about in one request. */
const MAX_ASKED = 10_000;

/**
 * Acknowledgement ids of channels. A batch has its id after it was stored, so every id that was given stands for stored
 * data; what is asked about after a restart is not known, and the client sends it again.
 */
export class Acknowledgements {
  private readonly next = new RecencyMap<number>();

  give(channel: string): number {
    const id = this.next.get(channel) ?? 0;
    this.next.renew(channel, id + 1);
    if (this.next.size > MAX_CHANNELS) this.next.delete(this.next.oldest()!);
    return id;
  }

  /** The answer to `{"acks":[0,1]}`, or undefined when the question is not that. */
  answer(channel: string, question: unknown): HttpAnswer | undefined {
    const asked = typeof question === 'object' && question !== null && 'acks' in question ? question.acks : undefined;
    if (!Array.isArray(asked) || asked.length > MAX_ASKED || !asked.every((id) => Number.isInteger(id)))
      return undefined;
    const given = this.next.get(channel) ?? 0;
    const known = asked.map((id): [string, boolean] => [String(id), id >= 0 && id < given]);
    return { status: 200, json: { acks: Object.fromEntries(known) } };
  }
}

/** The channel that a request names, in its header or its query. */
export function channelOf(header: string | undefined, query: URLSearchParams): string | undefined {
  const channel = header ?? query.get('channel') ?? undefined;
  return channel !== undefined && channel.length > 0 && channel.length <= MAX_CHANNEL_CHARS ? channel : undefined;
}

export function hecSuccess(ackId: number | undefined): HttpAnswer {
  return { status: 200, json: { text: 'Success', code: 0, ...(ackId === undefined ? {} : { ackId }) } };
}

export const HEC_HEALTHY: HttpAnswer = { status: 200, json: { text: 'HEC is healthy', code: 17 } };
export const HEC_NO_DATA: HttpAnswer = { status: 400, json: { text: 'No data', code: 5 } };
export const HEC_NO_CHANNEL: HttpAnswer = { status: 400, json: { text: 'Data channel is missing', code: 10 } };
export const HEC_INVALID: HttpAnswer = { status: 400, json: { text: 'Invalid data format', code: 6 } };

/** Numbers of Splunk's own answers, by status. */
const CODES = new Map([
  [401, 3],
  [403, 4],
  [503, 9],
]);

export function hecRefusal({ status, message }: HttpRefusal): HttpAnswer {
  return { status, json: { text: message, code: CODES.get(status) ?? 6 } };
}
