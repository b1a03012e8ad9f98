/** `waybill interfaces`: where the sensor could listen. */
import { spawnSync } from 'node:child_process';
import { Exit } from '../base/exit.ts';
import { isInstalled } from '../capture/live-driver.ts';
import { type InterfaceInfo, listInterfaces } from '../capture/live-interface.ts';
import { mayCapture } from '../capture/live-privilege.ts';
import { type CommandSpec, helpText, parseCommand, wantsHelp } from './options.ts';

export const INTERFACES: CommandSpec = {
  name: 'interfaces',
  usage: '[--json]',
  summary: 'Lists the network interfaces: state, addresses, and whether packets may be captured.',
  options: [{ name: 'json', describe: 'One JSON object a line.' }],
};

const OPEN_MILLIS = 5_000;

export async function interfacesCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(INTERFACES));
    return Exit.fine;
  }
  const options = parseCommand(INTERFACES, args);
  const rows = listInterfaces().map((i) => ({ ...i, capture: captureText(i) }));
  if (options.on('json')) {
    for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
    return Exit.fine;
  }
  const cells = rows.map((r) => [r.name, r.state, r.capture, r.addresses.join(' ') || '-']);
  process.stdout.write(table([['INTERFACE', 'STATE', 'CAPTURE', 'ADDRESSES'], ...cells]));
  return Exit.fine;
}

/** Asks tcpdump to open the interface, which is the only sure test: file capabilities and groups count. */
function captureText({ name, state }: InterfaceInfo): 'permitted' | 'not permitted' | 'interface is down' {
  if (state === 'down') return 'interface is down';
  if (!isInstalled('tcpdump')) return mayCapture() ? 'permitted' : 'not permitted';
  const tried = spawnSync('tcpdump', ['-i', name, '-L'], { stdio: 'ignore', timeout: OPEN_MILLIS });
  return tried.status === 0 ? 'permitted' : 'not permitted';
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
