import { readFileSync } from 'node:fs';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { isLoopback, type Settings } from '../settings.ts';
import type { HttpOptions } from './http-server.ts';
import { RateLimit } from './rate-limit.ts';
import type { RouteSettings } from './routes.ts';
import { Tokens } from './tokens.ts';

const MIB = 1 << 20;

/** Where and how the port is opened; reads the PEM files. A file that cannot be read is a UserError. */
export function listenOptions({ service }: Settings): Omit<HttpOptions, 'log'> {
  const at = service.listen.lastIndexOf(':');
  const port = Number(service.listen.slice(at + 1));
  if (port > 65_535) throw new UserError(`service.listen ${service.listen}: ports go up to 65535`, Exit.usage);
  const { tls } = service;
  return {
    host: service.listen.slice(0, at).replace(/^\[|\]$/g, ''),
    port,
    requestSeconds: service.request_seconds,
    maxConnections: service.connections,
    ...(tls === undefined
      ? {}
      : {
          tls: {
            cert: pem(tls.cert),
            key: pem(tls.key),
            ...(tls.client_ca === undefined ? {} : { clientCa: pem(tls.client_ca) }),
          },
        }),
  };
}

/** Who may send what, and how much. */
export function routeSettings({ service }: Settings): RouteSettings {
  const tokens = new Tokens(service.tokens);
  const certificates = service.tls?.client_ca !== undefined;
  const reach = certificates ? 'certificate' : isLoopback(service.listen) ? 'loopback' : undefined;
  return {
    tokens,
    open: tokens.isEmpty ? reach : undefined,
    limits: { bodyBytes: service.body_mib * MIB, inflatedBytes: service.inflated_mib * MIB },
    rate: new RateLimit(service.requests_per_second),
    names: ownNames(service),
    isTls: service.tls !== undefined,
  };
}

/** Names, lower case, that a browser may reach the port by, beside loopback: none of them is somebody else's. */
export function ownNames({ listen, names }: Settings['service']): readonly string[] {
  const host = listen.slice(0, listen.lastIndexOf(':'));
  const isEverywhere = host === '0.0.0.0' || /^\[[0:]+\]$/.test(host);
  return [...names, ...(isEverywhere ? [] : [host])].map((name) => name.toLowerCase());
}

function pem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`service.tls: ${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`, Exit.usage);
  }
}
