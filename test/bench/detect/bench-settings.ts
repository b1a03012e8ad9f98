/** The settings that a simulated organisation would have: as they come, with its gateway, and its roles as peer groups. */
import { defaultSettings, type Settings } from '../../../enrich/settings.ts';
import { GATEWAY, INSIDE, namePrefix, ROLE_NAMES } from './organisation.ts';

export function benchSettings(peers: boolean): Settings {
  const groups = ROLE_NAMES.map((name) => ({ name, hosts: [`${namePrefix(name).toLowerCase()}-*`], users: [] }));
  const translators = [{ address: GATEWAY, inside: [INSIDE] }];
  return { ...defaultSettings(), translators, peer_groups: peers ? groups : [] };
}
