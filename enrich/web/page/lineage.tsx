import type { ProcessFields, WaybillPart } from './alert-shape.ts';
import { formatProbability, formatTime } from './format.ts';
import { Wire } from './wire.tsx';

interface Props {
  readonly lineage: readonly ProcessFields[];
  readonly join: WaybillPart['join'];
  readonly browser: WaybillPart['browser'];
}

/** How a flow was given to its process, in words. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ['tuple', 'a connection event names both addresses and ports'],
  ['lease', 'the process was known to hold this way out at that time'],
  ['dns', 'the process looked up this name just before'],
  ['fingerprint', 'the process is known here by this fingerprint'],
  ['none', 'no evidence names a process'],
]);

/** Who sent it: the process last, its ancestors above. */
export function Lineage({ lineage, join, browser }: Props) {
  const method = join?.method ?? 'none';
  return (
    <section class="panel">
      <h2>Who sent it</h2>
      <p class="note">
        Joined by {method}
        {METHODS.has(method) ? `: ${METHODS.get(method)}` : ''}; probability {formatProbability(join?.probability ?? 0)}
        . {browser?.reasons?.[0] && <Wire text={`${browser.reasons[0]}.`} />}
      </p>
      {lineage.length === 0 ? <p>No endpoint event names the process.</p> : <Branch chain={[...lineage].reverse()} />}
    </section>
  );
}

function Branch({ chain: [process, ...rest] }: { readonly chain: readonly ProcessFields[] }) {
  if (!process) return null;
  const { code_signature: signature, pe, hash } = process;
  return (
    <ul class="tree">
      <li class={rest.length === 0 ? 'sender' : ''}>
        <div class="process">
          <strong>
            <Wire text={process.executable ?? 'unknown program'} />
          </strong>{' '}
          <span class="mono">[{process.pid ?? '?'}]</span> {rest.length === 0 && <span class="chip">sender</span>}
          {process.command_line && (
            <p class="command">
              <Wire text={process.command_line} most={400} mono />
            </p>
          )}
          <small>
            {process.start && <>started {formatTime(process.start)} · </>}
            {process.user?.name && (
              <>
                <Wire text={[process.user.domain, process.user.name].filter(Boolean).join('\\')} most={80} /> ·{' '}
              </>
            )}
            {signature ? (
              <Wire text={`signed ${signature.subject_name ?? '?'} (${signature.status ?? 'not checked'})`} />
            ) : (
              'signature not known'
            )}
            {pe?.original_file_name && (
              <>
                {' '}
                · built as <Wire text={pe.original_file_name} most={80} />
              </>
            )}
            {hash?.sha256 && (
              <>
                {' '}
                · sha256 <Wire text={hash.sha256} most={16} mono />
              </>
            )}
          </small>
        </div>
        {rest.length > 0 && <Branch chain={rest} />}
      </li>
    </ul>
  );
}
