import type { Adapter } from './adapter.ts';
import { elasticDefend } from './elastic-defend.ts';
import { wazuh } from './wazuh.ts';

/** Every feed but the Windows event logs, whose many shapes are tried last. The first that claims a record reads it. */
export const ADAPTERS: readonly Adapter[] = [elasticDefend, wazuh];
