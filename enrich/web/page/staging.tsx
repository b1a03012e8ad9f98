import { mainStaging, type StagingFields } from './alert-shape.ts';
import { fileName, formatBytes, formatSeconds, formatTime } from './format.ts';
import { Wire } from './wire.tsx';

/** How the packing belongs to the sender, in words. */
const LINKS: ReadonlyMap<string, string> = new Map([
  ['referenced', 'the sender read or named this file'],
  ['referenced-directory', 'the sender named its directory'],
  ['lineage', 'packer and sender belong to one activity'],
  ['logon', 'same logon session as the sender'],
  ['process', 'the sender itself packed'],
  ['user', 'same user as the sender'],
  ['host', 'same host only'],
  ['other-user', 'another user of the host'],
]);

/** What was packed just before: what the alert is about first, then the newest. */
export function Staging({ staging }: { readonly staging: readonly StagingFields[] }) {
  return (
    <section class="panel">
      <h2>What was packed ({staging.length})</h2>
      {staging.length === 0 && <p>No packing was seen on this host in the window.</p>}
      <ol class="staging">
        {ordered(staging).map((s) => (
          <li>
            <strong>
              <Wire text={s.archive ?? 'no file is named'} />
            </strong>{' '}
            {s.size === undefined ? <span class="unknown">size not known</span> : formatBytes(s.size)}
            {(s.volumes ?? 1) > 1 && ` in ${s.volumes} volumes`}
            <small>
              {formatTime(s.at)} · by <Wire text={s.process ? fileName(s.process) : 'unknown'} most={80} /> [
              {s.pid ?? '?'}] · <Wire text={LINKS.get(s.link ?? '') ?? s.link} most={60} /> ·{' '}
              {formatSeconds(s.gap_seconds ?? 0)} before sending
              {(s.techniques ?? []).length > 0 && <Wire text={` · ${s.techniques!.join(', ')}`} most={200} />}
            </small>
            <ul>
              {(s.reasons ?? []).map((reason) => (
                <li>
                  <Wire text={reason} />
                </li>
              ))}
            </ul>
            {(s.traits ?? []).length > 0 && (
              <p>
                {s.traits!.map((trait) => (
                  <span class="chip">
                    <Wire text={trait} most={60} />
                  </span>
                ))}
              </p>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function ordered(staging: readonly StagingFields[]): StagingFields[] {
  const main = mainStaging(staging);
  const rest = staging.filter((s) => s !== main).reverse();
  return main ? [main, ...rest] : rest;
}
