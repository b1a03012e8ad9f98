import { type Exception, withExceptions } from '../alert/exception.ts';
import type { Store } from '../store/store.ts';

/** A store whose alerts say under `waybill.allowed` that an exception covers them, as of now. Nothing stored is changed. */
export function withMarkedAlerts(inner: Store, exceptions: () => readonly Exception[]): Store {
  const marked: Pick<Store, 'getAlert' | 'listAlerts'> = {
    async getAlert(id) {
      const alert = await inner.getAlert(id);
      return alert && withExceptions([alert], exceptions())[0];
    },
    listAlerts: async (options) => withExceptions(await inner.listAlerts(options), exceptions()),
  };
  return new Proxy(inner, {
    get(_, name) {
      const method: unknown = Reflect.get(name in marked ? marked : inner, name);
      return typeof method === 'function' ? method.bind(inner) : method;
    },
  });
}
