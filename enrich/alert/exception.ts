import { imageFits } from '../evidence/path-pattern.ts';
import { isSignedBy } from '../evidence/signer.ts';
import type { StoredAlert } from '../store/store.ts';

/** Exceptions kept. */
export const MAX_EXCEPTIONS = 10_000;

/**
 * Someone answers for it that this program may send there. An exception names the program (by identity, image or
 * signer) and the destination, never one of them alone; it ends on a day and may be held to a number of bytes.
 */
export interface Exception {
  readonly id: string;
  readonly owner: string;
  readonly reason: string;
  /** RFC 3339; alerts of that moment and later are not covered. */
  readonly expires: string;
  /** As `waybill.identity` of an alert. */
  readonly identity?: string;
  /** Full image path; `*` stands for one path component. */
  readonly image?: string;
  /** Signer of a valid signature. */
  readonly signer?: string;
  /** Host name, registrable domain, or `waybill.destination.entity`. */
  readonly destination: string;
  /** Host id or name. */
  readonly host?: string;
  /** SID or user name. */
  readonly user?: string;
  /** Largest number of bytes sent that is covered. */
  readonly max_bytes?: number;
}

interface Alert {
  readonly host?: { readonly id?: string; readonly name?: string };
  readonly user?: { readonly id?: string; readonly name?: string };
  readonly process?: {
    readonly executable?: string;
    readonly code_signature?: { readonly subject_name?: string; readonly status?: string };
  };
  readonly source?: { readonly bytes?: number };
  readonly destination?: { readonly domain?: string; readonly registered_domain?: string; readonly ip?: string };
  readonly waybill?: { readonly identity?: string; readonly destination?: { readonly entity?: string } };
}

/** Whether an exception covers an alert, as of the alert's own time. */
export function covers(exception: Exception, alert: StoredAlert): boolean {
  const body = alert.body as Alert;
  if (alert.at / 1000 >= Date.parse(exception.expires)) return false;
  if (exception.max_bytes !== undefined && (body.source?.bytes ?? Number.POSITIVE_INFINITY) > exception.max_bytes)
    return false;
  const { destination, waybill } = body;
  const places = [destination?.domain, destination?.registered_domain, destination?.ip, waybill?.destination?.entity];
  return (
    names([exception.destination], places) &&
    names([exception.host], [body.host?.id, body.host?.name]) &&
    names([exception.user], [body.user?.id, body.user?.name]) &&
    names([exception.identity], [waybill?.identity]) &&
    isProgram(exception, body)
  );
}

/** The first exception that covers an alert. */
export const coveringException = (alert: StoredAlert, exceptions: readonly Exception[]): Exception | undefined =>
  exceptions.find((exception) => covers(exception, alert));

/** What is not asked for fits; what is asked for must be one of the values, case folded. */
function names([wanted]: readonly [string | undefined], values: readonly (string | undefined)[]): boolean {
  if (wanted === undefined) return true;
  const folded = wanted.toLowerCase();
  return values.some((value) => value?.toLowerCase() === folded);
}

function isProgram({ image, signer, identity }: Exception, { process }: Alert): boolean {
  if (image === undefined && signer === undefined && identity === undefined) return false;
  if (image !== undefined) {
    const path = process?.executable;
    if (path === undefined || !imageFits(image, path)) return false;
  }
  if (signer === undefined) return true;
  const signature = process?.code_signature;
  return signature?.status === 'valid' && isSignedBy(signature.subject_name, [signer]);
}

/**
 * Alerts as they are shown: one that an exception covers says so under `waybill.allowed`. Nothing stored is changed or
 * dropped, so that an exception acts on what was there before it, and its end brings everything back.
 */
export function withExceptions(alerts: readonly StoredAlert[], exceptions: readonly Exception[]): StoredAlert[] {
  return alerts.map((alert) => {
    const found = coveringException(alert, exceptions);
    if (!found) return alert;
    const body = alert.body as { readonly waybill: object };
    const { id, owner, reason, expires } = found;
    return { ...alert, body: { ...body, waybill: { ...body.waybill, allowed: { id, owner, reason, expires } } } };
  });
}

export const isAllowed = (alert: StoredAlert): boolean =>
  (alert.body as { readonly waybill?: { readonly allowed?: unknown } }).waybill?.allowed !== undefined;
