import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { storeContract } from './contract.ts';

storeContract('the embedded store', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-store-'));
  const store = await openEmbedded(directory, { durable: false });
  return {
    store,
    remove: async () => {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
});
