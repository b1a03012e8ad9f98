import { useState } from 'preact/hooks';
import type { ExceptionPreview } from '../view.ts';
import type { AlertBody } from './alert-shape.ts';
import { formatBytes, formatTime } from './format.ts';
import { pieces } from './marks.ts';
import { alertHref, Link } from './route.tsx';
import { send } from './server.ts';
import { Wire } from './wire.tsx';

const NAME_KEY = 'waybill.analyst';
const DAY_MILLIS = 86_400_000;
/** An exception ends in a month unless somebody chooses another day. */
const USUAL_DAYS = 30;

interface Props {
  readonly body: AlertBody;
  readonly onDone: () => void;
}

/** Somebody answers for it that this program may send there: what that would cover is shown before it is kept. */
export function AllowPanel({ body, onDone }: Props) {
  const allowed = body.waybill?.allowed;
  const [isOpen, setOpen] = useState(false);
  return (
    <section class="panel allow-panel">
      <h2>Exception</h2>
      {allowed ? (
        <p>
          Allowed until {formatTime(allowed.expires ?? '')} by <Wire text={allowed.owner} most={80} />:{' '}
          <Wire text={allowed.reason} /> · <Link to="/exceptions">all exceptions</Link>
        </p>
      ) : (
        <>
          <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            Allow this program to send there …
          </button>
          {isOpen && <AllowForm body={body} onDone={onDone} />}
        </>
      )}
    </section>
  );
}

type Fields = Readonly<Record<string, string>>;

function AllowForm({ body, onDone }: Props) {
  const programs = programsOf(body);
  const places = placesOf(body);
  const [fields, setFields] = useState<Fields>({
    program: programs[0]?.name ?? '',
    destination: places[0] ?? '',
    owner: localStorage.getItem(NAME_KEY) ?? '',
    reason: '',
    expires: new Date(Date.now() + USUAL_DAYS * DAY_MILLIS).toISOString().slice(0, 10),
    max_bytes: '',
    host: '',
    user: '',
  });
  const [shown, setShown] = useState<{ readonly of: Fields; readonly preview: ExceptionPreview }>();
  const [said, setSaid] = useState<{ text: string; isError: boolean }>();
  const [isSending, setSending] = useState(false);
  // What was previewed is what may be kept: a change asks for a new preview.
  const preview = shown?.of === fields ? shown.preview : undefined;

  const ask = async (path: string, then: (text: string) => void) => {
    setSending(true);
    try {
      then(await send(path, exceptionOf(fields, programs)));
    } catch (error) {
      setSaid({ text: (error as Error).message, isError: true });
    } finally {
      setSending(false);
    }
  };
  const look = () =>
    ask('/api/exceptions/preview', (text) => {
      setShown({ of: fields, preview: JSON.parse(text) as ExceptionPreview });
      setSaid(undefined);
    });
  const keep = () =>
    ask('/api/exceptions', () => {
      setSaid({ text: 'Kept. It is in force within a second.', isError: false });
      setShown(undefined);
      setTimeout(onDone, 1_500);
    });
  const change = (name: string) => (value: string) => setFields((old) => ({ ...old, [name]: value }));

  return (
    <div class="allow-form">
      <Choose
        label="Program"
        options={programs.map(({ name, value }) => [name, `${name}: ${value}`])}
        value={fields['program']}
        onChange={change('program')}
      />
      <Choose
        label="Destination"
        options={places.map((place) => [place, place])}
        value={fields['destination']}
        onChange={change('destination')}
      />
      <Choose
        label="Hosts"
        options={scopeOf('host', body.host?.name ?? body.host?.id)}
        value={fields['host']}
        onChange={change('host')}
      />
      <Choose
        label="Users"
        options={scopeOf('user', body.user?.name)}
        value={fields['user']}
        onChange={change('user')}
      />
      <Entry
        label="Bytes at most (this alert sent"
        extra={`${formatBytes(body.source?.bytes ?? 0)})`}
        type="number"
        value={fields['max_bytes']}
        onChange={change('max_bytes')}
      />
      <Entry label="Owner: who answers for it" value={fields['owner']} onChange={change('owner')} />
      <Entry label="Reason, such as a ticket" value={fields['reason']} onChange={change('reason')} />
      <Entry label="Until" type="date" value={fields['expires']} onChange={change('expires')} />
      <div class="buttons">
        <button type="button" disabled={isSending} onClick={() => void look()}>
          Preview
        </button>
        <button type="button" class="primary" disabled={isSending || preview === undefined} onClick={() => void keep()}>
          Keep exception
        </button>
      </div>
      <p role="status" class={said?.isError ? 'error' : 'note'}>
        {said?.text}
      </p>
      {preview && <Preview preview={preview} />}
    </div>
  );
}

function Preview({ preview: { covered, looked, alerts, capped } }: { readonly preview: ExceptionPreview }) {
  return (
    <div role="status" class="preview">
      <p>
        <strong>
          {covered} of {looked} stored alerts would be covered.
        </strong>{' '}
        {capped} They stay stored and marked; outputs hold them back.
      </p>
      <ul>
        {alerts.map(({ id, story }) => (
          <li>
            <Link to={alertHref(id)}>
              <Wire text={story || id} most={140} />
            </Link>
          </li>
        ))}
        {covered > alerts.length && <li>… and {covered - alerts.length} more</li>}
      </ul>
    </div>
  );
}

interface ChooseProps {
  readonly label: string;
  readonly options: readonly (readonly [string, string])[];
  readonly value: string | undefined;
  readonly onChange: (value: string) => void;
}

function Choose({ label, options, value, onChange }: ChooseProps) {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([name, text]) => (
          <option value={name}>
            <Plain text={text} />
          </option>
        ))}
      </select>
    </label>
  );
}

interface EntryProps {
  readonly label: string;
  readonly extra?: string;
  readonly type?: string;
  readonly value: string | undefined;
  readonly onChange: (value: string) => void;
}

function Entry({ label, extra = '', type = 'text', value, onChange }: EntryProps) {
  return (
    <label>
      {label} {extra}
      <input
        type={type}
        min="1"
        maxLength={1024}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}

/** An option of a list may hold text only: marks as elsewhere, without their colour. */
function Plain({ text }: { readonly text: string }) {
  return <>{pieces(text.slice(0, 120)).map((piece) => piece.text)}</>;
}

interface Program {
  readonly name: 'identity' | 'image' | 'signer';
  readonly value: string;
}

function programsOf({ waybill, process }: AlertBody): Program[] {
  const { executable, code_signature: signature } = process ?? {};
  const signer = signature?.status === 'valid' ? signature.subject_name : undefined;
  const all = [
    ['identity', waybill?.identity],
    ['image', executable],
    ['signer', signer],
  ] as const;
  return all.flatMap(([name, value]) => (value ? [{ name, value }] : []));
}

function placesOf({ destination, waybill }: AlertBody): string[] {
  const places = [destination?.domain, destination?.registered_domain, waybill?.destination?.entity, destination?.ip];
  return [...new Set(places.filter((place) => place !== undefined && place !== ''))] as string[];
}

const scopeOf = (kind: string, name: string | undefined): (readonly [string, string])[] => [
  ['', `any ${kind}`],
  ...(name ? [[name, `only ${name}`] as const] : []),
];

/** The exception as `waybill allow` would take it; what is empty is not said. */
function exceptionOf({ program, max_bytes: most, ...rest }: Fields, programs: readonly Program[]) {
  const named = programs.find(({ name }) => name === program);
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value.trim() !== '')),
    ...(named ? { [named.name]: named.value } : {}),
    ...(most ? { max_bytes: Number(most) } : {}),
  };
}
