/** Laptops of new people, given out while the simulation runs: a function of the seed. */
import { streamOf } from './chance.ts';
import type { Host } from './organisation.ts';

/** For so many days a host counts as new in the figures. */
export const NEW_DAYS = 5;

export interface Issue {
  /** Laptops that are given out. */
  readonly count: number;
  /** Days, from 0, on which they are; `to` is not one of them. */
  readonly from: number;
  readonly to: number;
}

/** The hosts, some of the laptops with a later first day. */
export function withNewHosts(seed: number, hosts: readonly Host[], { count, from, to }: Issue): readonly Host[] {
  const random = streamOf(seed, 'new hosts');
  const workDays = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i).filter((day) => day % 7 < 5);
  const laptops = hosts.filter(({ laptop }) => laptop).map(({ index }) => index);
  const issued = new Map<number, number>();
  while (workDays.length > 0 && laptops.length > 0 && issued.size < count)
    issued.set(laptops.splice(random.below(laptops.length), 1)[0]!, random.pick(workDays));
  return hosts.map((host) => ({ ...host, issued: issued.get(host.index) ?? host.issued }));
}

/** Whether a host is in its first days; those that were there from the start never are. */
export const isNew = ({ issued }: Pick<Host, 'issued'>, day: number): boolean =>
  issued > 0 && day >= issued && day < issued + NEW_DAYS;
