import { exceptionsDirectory } from '../../enrich/cli/enrich.ts';
import { openBackend } from '../../enrich/cli/open-backend.ts';
import { Service, type ServiceOptions } from '../../enrich/service/service.ts';
import type { Settings } from '../../enrich/settings.ts';
import type { Store } from '../../enrich/store/store.ts';
import { openLog } from '../../sensor/base/log.ts';
import { settingsWith, temporary } from './waybill-process.ts';

export interface ServiceHere {
  readonly service: Service;
  readonly url: string;
  readonly data: string;
  /** The open store; closed by `stop`. */
  readonly store: Store;
  stop(): Promise<void>;
  /** Stops it and removes its directory. */
  remove(): Promise<void>;
}

/** The service inside this process, on a free port, with a directory of its own. */
export async function serviceHere(
  changes: Partial<Settings['service']> = {},
  where: { readonly store?: string; readonly data?: string } & Partial<
    Pick<ServiceOptions, 'tail' | 'alerts' | 'pages' | 'worker'>
  > = {},
): Promise<ServiceHere> {
  const directory = where.data === undefined ? temporary() : { path: where.data, remove: () => undefined };
  const settings = settingsWith({ requests_per_second: 100_000, ...changes });
  const place = {
    store: where.store ?? 'embedded',
    data: directory.path,
    allowEviction: false,
    onState: () => undefined,
    ...(where.worker ? { worker: where.worker } : {}),
  };
  let store: Store | undefined;
  const service = new Service({
    settings,
    log: openLog({ name: 'test', level: 'silent', terminal: false }),
    open: async () => {
      const backend = await openBackend(place, settings);
      store = backend.store;
      return backend;
    },
    alerts: where.alerts ?? {},
    exceptions: exceptionsDirectory(place.store, directory.path),
    ...(where.tail ? { tail: where.tail } : {}),
    ...(where.pages ? { pages: where.pages } : {}),
    ...(where.worker ? { worker: where.worker } : {}),
  });
  await service.start();
  return {
    service,
    url: `http://127.0.0.1:${service.port}`,
    data: directory.path,
    store: store!,
    stop: () => service.stop(),
    remove: async () => {
      await service.stop();
      directory.remove();
    },
  };
}
