import { useState } from 'preact/hooks';
import type { AlertAnswer } from '../view.ts';
import { take } from './server.ts';

/** What can be taken away of an alert. */
export function Downloads({ alert: { id, body } }: { readonly alert: AlertAnswer }) {
  const asked = `/api/alerts/${encodeURIComponent(id)}`;
  return (
    <span class="download">
      <Download title="Alert JSON" name={`${id}.json`} get={async () => inJson(body)} />{' '}
      <Download title="OCSF" name={`${id}.ocsf.json`} get={() => take(`${asked}/ocsf`)} />{' '}
      <Download title="STIX" name={`${id}.stix.json`} get={() => take(`${asked}/stix`)} />{' '}
      <Download title="Evidence bundle" name={`${id}.zip`} get={() => take(`${asked}/bundle`)} />
    </span>
  );
}

/** The packets of one flow; where none were kept the server says why. */
export function Packets({ id, flow }: { readonly id: string; readonly flow: string }) {
  // Half a character, which a record of a stranger may hold, can be in no address.
  const whole = flow.replace(/[\ud800-\udfff]/gu, '');
  const path = `/api/alerts/${encodeURIComponent(id)}/packets/${encodeURIComponent(whole)}`;
  return <Download title="pcap" name={`${flow}.pcap`} get={() => take(path)} />;
}

interface DownloadProps {
  readonly title: string;
  readonly name: string;
  readonly get: () => Promise<Blob>;
}

function Download({ title, name, get }: DownloadProps) {
  const [complaint, setComplaint] = useState('');
  const [isTaking, setTaking] = useState(false);
  const hand = async () => {
    setTaking(true);
    try {
      handOut(name, await get());
      setComplaint('');
    } catch (error) {
      setComplaint((error as Error).message);
    } finally {
      setTaking(false);
    }
  };
  return (
    <>
      <button type="button" disabled={isTaking} onClick={() => void hand()}>
        ↓ {title}
      </button>
      {complaint && (
        <small class="why" role="alert">
          {complaint}
        </small>
      )}
    </>
  );
}

const inJson = (value: unknown): Blob =>
  new Blob([`${JSON.stringify(value, null, 2)}\n`], { type: 'application/json' });

/** The token goes in a header, which a plain link would not send: so the file is fetched and handed on. */
function handOut(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = window.document.createElement('a');
  link.href = url;
  link.download = name.replace(/[^\w.-]/g, '_').slice(-100);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
