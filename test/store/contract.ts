import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import type { Store } from '../../enrich/store/store.ts';
import { alertContract } from './contract-alerts.ts';
import { factContract, limitContract } from './contract-facts.ts';
import { familiarityContract, wideContract } from './contract-familiarity.ts';
import { expireContract } from './contract-forgetting.ts';
import { orderContract } from './contract-order.ts';
import { type Opened, unused } from './fixtures.ts';

/** What every implementation of Store must do. `open` gives an empty one; `effort` scales the runs of properties. */
export function storeContract(name: string, open: () => Promise<Opened>, effort = 1): void {
  describe(`${name} as a Store`, () => {
    let opened: Opened;
    let shard: string;
    const the = (): Store => opened.store;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.remove());
    beforeEach(() => {
      shard = unused('host');
    });

    factContract(the, () => shard);
    limitContract(the, () => shard);
    orderContract(the, effort);
    familiarityContract(the, effort);
    alertContract(the);
  });

  describe(`${name} as the memory of an organisation`, () => {
    wideContract(open, effort);
  });

  describe(`${name} as a Store that forgets`, () => {
    expireContract(open);
  });
}
