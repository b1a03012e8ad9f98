/** A process whose disk is too small: fills the store until it says so, twice, and says what is left of it. */
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { StoreError } from '../../enrich/store/store-error.ts';

console.error = () => undefined; // lmdb prints the system's error as well
const store = await openEmbedded(process.argv[2] ?? '', { reserveBytes: 0 });
const large = (n: number) => ({ id: `${n}`, at: n, body: 'x'.repeat(5_000) });
const put = (n: number) => store.put([{ shard: 'host:a', kind: 'flow', keys: ['k'], version: 1, ...large(n) }]);
for (let n = 0; n < 100; n++) await put(n);
for (let again = 0; again < 2; again++) {
  try {
    for (let n = 100; n < 5_000; n++) await put(n);
  } catch (error) {
    process.stdout.write(`${error instanceof StoreError ? error.code : error}\n`);
  }
}
process.stdout.write(`read ${await store.count('host:a', 'flow', 0, 99)}\n`);
await store.close();
process.stdout.write('closed\n');
