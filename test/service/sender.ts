import { setTimeout } from 'node:timers/promises';
import { type StoryInput, shuffled } from './stories.ts';
import { post } from './waybill-process.ts';

/** One request of a sender. */
export interface Piece {
  readonly path: string;
  readonly body: string;
}

/** Everything in pieces, in an order of its own for every seed, a third of it twice. */
export function piecesOf(input: StoryInput, seed: number): Piece[] {
  const pieces = [
    ...input.endpoint.map((body) => ({ path: '/v1/events', body })),
    ...input.flows.map((body) => ({ path: '/v1/flows', body })),
  ];
  return shuffled([...pieces, ...shuffled(pieces, seed + 1).slice(0, pieces.length / 3)], seed);
}

/**
 * Four senders that go round the receivers, each of which tries again until its piece is accepted.
 * @param onAccepted told of each accepted piece
 */
export async function send(
  urls: readonly string[],
  pieces: readonly Piece[],
  onAccepted: (piece: Piece) => void | Promise<void> = () => undefined,
): Promise<void> {
  let turn = 0;
  const work = pieces.values();
  await Promise.all(
    [0, 1, 2, 3].map(async () => {
      for (const piece of work) {
        while (!(await isAccepted(`${urls[turn++ % urls.length]}${piece.path}`, piece.body))) await setTimeout(50);
        await onAccepted(piece);
      }
    }),
  );
}

/** Only 202 is an acknowledgement, and only what says that it is for now may be asked again. */
async function isAccepted(url: string, body: string): Promise<boolean> {
  const { status } = await post(url, body);
  if (status !== 202 && status !== 503 && status !== 429) throw new Error(`${url} answers ${status}`);
  return status === 202;
}
