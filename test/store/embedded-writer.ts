/**
 * A process to be killed: opens the store in the directory given, puts one batch after another and prints the number of
 * each batch once it was acknowledged.
 */
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { writerBatch } from './writer-batch.ts';

const store = await openEmbedded(process.argv[2] ?? '');
process.stdout.write('open\n');
for (let batch = 0; ; batch++) {
  const { facts, observations } = writerBatch(batch);
  await Promise.all([store.put(facts), store.observe(observations)]);
  process.stdout.write(`${batch}\n`);
}
