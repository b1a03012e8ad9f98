import type { Adapter } from './adapter.ts';
import { asim } from './asim.ts';
import { carbonBlack } from './carbon-black.ts';
import { cef } from './cef.ts';
import { cortexXdr } from './cortex-xdr.ts';
import { crowdstrikeFdr } from './crowdstrike-fdr.ts';
import { cybereason } from './cybereason.ts';
import { elasticDefend } from './elastic-defend.ts';
import { fireeyeHx } from './fireeye-hx.ts';
import { limacharlie } from './limacharlie.ts';
import { mde } from './mde.ts';
import { ocsf } from './ocsf.ts';
import { osquery } from './osquery.ts';
import { sentinelone } from './sentinelone.ts';
import { sophos } from './sophos.ts';
import { tanium } from './tanium.ts';
import { wazuh } from './wazuh.ts';

/** Every feed but the Windows event logs, whose many shapes are tried last. The first that claims a record reads it. */
export const ADAPTERS: readonly Adapter[] = [
  crowdstrikeFdr,
  ocsf,
  mde,
  elasticDefend,
  sentinelone,
  carbonBlack,
  cortexXdr,
  limacharlie,
  asim,
  fireeyeHx,
  tanium,
  cybereason,
  sophos,
  cef,
  wazuh,
  osquery,
];
