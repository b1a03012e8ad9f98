/** The settings that a simulated organisation would have: as they come, and its roles as peer groups. */
import { defaultSettings, type Settings } from '../../../enrich/settings.ts';
import { namePrefix, ROLE_NAMES } from './organisation.ts';

export function benchSettings(peers: boolean): Settings {
  const groups = ROLE_NAMES.map((name) => ({ name, hosts: [`${namePrefix(name).toLowerCase()}-*`], users: [] }));
  return { ...defaultSettings(), peer_groups: peers ? groups : [] };
}
