/**
 * The token is kept by origin, port included, and sent as a header: unlike a cookie it reaches no other service of this
 * machine, and no other site can make a browser send it.
 */
const KEY = 'waybill.token';

/** Longest wait for an answer, milliseconds. */
const PATIENCE = 15_000;

export class ServerError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Moves `#token=…` out of the address, so that it is in no bookmark and no screenshot. */
export function takeTokenFromAddress(): void {
  const match = /^#token=([\w-]{8,200})$/.exec(location.hash);
  if (!match) return;
  keepToken(match[1]!);
  history.replaceState(null, '', location.pathname + location.search);
}

export const keepToken = (token: string): void => localStorage.setItem(KEY, token);
export const forgetToken = (): void => localStorage.removeItem(KEY);
export const hasToken = (): boolean => localStorage.getItem(KEY) !== null;

/** Text of the answer. Throws ServerError; its status is 0 when there was no answer at all. */
export async function ask(path: string, signal?: AbortSignal): Promise<string> {
  return call(path, { ...(signal ? { signal } : {}) }, (response) => response.text());
}

export async function send(path: string, body: unknown): Promise<string> {
  return call(path, { method: 'POST', body: JSON.stringify(body) }, (response) => response.text());
}

/** A file. Throws ServerError. */
export async function take(path: string): Promise<Blob> {
  return call(path, {}, (response) => response.blob());
}

async function call<T>(path: string, init: RequestInit, read: (response: Response) => Promise<T>): Promise<T> {
  const headers: Record<string, string> = { authorization: `Bearer ${localStorage.getItem(KEY) ?? ''}` };
  if (init.body !== undefined) headers['content-type'] = 'application/json';
  const signals = [AbortSignal.timeout(PATIENCE), ...(init.signal ? [init.signal] : [])];
  let status = 0;
  let complaint: string;
  try {
    const response = await fetch(path, { ...init, headers, signal: AbortSignal.any(signals), redirect: 'error' });
    if (response.ok) return await read(response);
    status = response.status;
    complaint = await response.text();
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ServerError(0, 'The server does not answer.');
  }
  throw new ServerError(status, complaintOf(complaint) ?? `The server answers ${status}.`);
}

function complaintOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}
