import type { IncomingMessage } from 'node:http';
import { HttpRefusal } from '../service/http-answer.ts';

/** Where browsers tell what the policy stopped. */
export const REPORT_PATH = '/csp-report';

/**
 * The page may run its own script and style and talk to its own server: nothing else, not even when text of an attacker
 * became markup. Trusted Types close the ways from text to markup as well.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
  `report-uri ${REPORT_PATH}`,
].join('; ');

/** Go with every answer of the console. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/**
 * Refuses a request whose Host is no name of ours. A page whose own name was rebound to this address still sends that
 * name; it must not reach the API even when somebody's browser would give it a token.
 *
 * @param names further names, lower case, without port: those under which the console is served beyond loopback
 */
export function checkHost(request: IncomingMessage, names: readonly string[]): void {
  const host = (request.headers.host ?? '').toLowerCase().replace(/:\d{1,5}$/, '');
  if (!LOOPBACK.test(host) && !names.includes(host)) throw new HttpRefusal(421, 'this name is not served here');
}

/** Refuses what a form or a script of another site could send: a change is JSON, from our own origin. */
export function checkSameOrigin(request: IncomingMessage): void {
  const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  if (type !== 'application/json') throw new HttpRefusal(415, 'the body must be application/json');
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') throw new HttpRefusal(403, 'not from another site');
  const { origin, host } = request.headers;
  if (origin !== undefined && origin.toLowerCase().replace(/^https?:\/\//, '') !== (host ?? '').toLowerCase()) {
    throw new HttpRefusal(403, 'not from another site');
  }
}
