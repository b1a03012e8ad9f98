/** What everybody's machines do on an ordinary day. */
import { between, inventedDomain, lognormal, numberOf, streamOf, zipf } from './chance.ts';
import type { ProgramName } from './programs.ts';
import { MINUTE, type Proc, type Scene, SECOND } from './scene.ts';

const KB = 1e3;
const MB = 1e6;

export const ZIP = 'application/zip';
export const SEVEN_ZIP = 'application/x-7z-compressed';

/** A talk of a resident program with one of its servers: heavy-tailed both ways. */
export const chat =
  (program: ProgramName, names: readonly string[], sent: number, received: number, sigma = 1.2) =>
  (scene: Scene, at: number): void => {
    const { random } = scene;
    scene.send(scene.resident(program), at, {
      name: random.pick(names).replace('{org}', scene.organisation.name),
      sent: 500 + lognormal(random, sent, sigma),
      received: 3_000 + lognormal(random, received, sigma),
    });
  };

export function browse(scene: Scene, at: number): void {
  const { random, organisation } = scene;
  const quic = random.chance(0.25);
  scene.send(scene.resident(scene.host.browser), at, {
    name: organisation.sites[zipf(random, organisation.sites.length)]!,
    sent: lognormal(random, 4 * KB, 1.3),
    received: lognormal(random, 200 * KB, 1.6),
    ...(quic ? { transport: 'udp', protocol: 'quic' } : {}),
  });
}

/** Names of what people pack. */
const TOPICS = [
  'report',
  'photos',
  'offer',
  'minutes',
  'contract',
  'drawings',
  'slides',
  'export',
  'archive',
  'handover',
  'project',
  'scan',
];
export const topic = (scene: Scene): string => `${scene.random.pick(TOPICS)}-${scene.random.below(900)}`;

/** Packs something with 7-Zip from the Explorer; gives back the archive. */
export function packByHand(
  scene: Scene,
  at: number,
  median = 8 * MB,
): { readonly path: string; readonly size: number; readonly end: number; readonly packer: Proc } {
  const { random } = scene;
  const folder = `${scene.profile}\\${random.pick(['Documents', 'Documents', 'Desktop', 'Downloads'])}`;
  const name = topic(scene);
  const path = `${folder}\\${name}.${random.chance(0.7) ? 'zip' : '7z'}`;
  const size = Math.min(900 * MB, lognormal(random, median, 1.4));
  const byExplorer = path.endsWith('zip') && random.chance(0.5);
  const packer = byExplorer
    ? scene.resident('explorer')
    : scene.start('sevenZipGui', at, {
        parent: scene.resident('explorer'),
        commandLine: `"C:\\Program Files\\7-Zip\\7zG.exe" a -i#7zMap${random.below(30_000)}#7zEvent0 -ad -saa -- "${path.replace(/\.[^.]+$/, '')}"`,
        directory: folder,
      });
  const end = at + 2 * SECOND + Math.round(size / 20);
  scene.write(packer, at + SECOND, path, { size, mimeType: path.endsWith('zip') ? ZIP : SEVEN_ZIP });
  if (!byExplorer) scene.end(packer, end);
  return { path, size, end, packer };
}

export function mailZip(scene: Scene, at: number): void {
  const packed = packByHand(scene, at, 3 * MB);
  const size = Math.min(packed.size, 25 * MB);
  const outlook = scene.resident('outlook');
  scene.read(outlook, packed.end + MINUTE, packed.path, { size });
  scene.send(outlook, packed.end + between(scene.random, 1, 15) * MINUTE, {
    name: 'outlook.office365.com',
    sent: size * 1.37,
    received: 40 * KB,
  });
}

export function packThenBrowser(scene: Scene, at: number): void {
  const { random, organisation } = scene;
  const packed = packByHand(scene, at);
  const browser = scene.resident(scene.host.browser);
  scene.read(browser, packed.end + MINUTE, packed.path, { size: packed.size });
  const to = random.chance(0.4)
    ? `portal.${random.pick(organisation.partners)}`
    : random.pick([
        'wetransfer.com',
        'drive.google.com',
        `${organisation.name}.sharepoint.com`,
        'www.dropbox.com',
        'swisstransfer.com',
      ]);
  scene.send(browser, packed.end + between(random, 0.5, 20) * MINUTE, {
    name: to,
    sent: packed.size * 1.004 + 8 * KB,
    received: 60 * KB,
  });
}

export function downloadedZip(scene: Scene, at: number): void {
  const { random, organisation } = scene;
  const browser = scene.resident(scene.host.browser);
  const name = organisation.sites[zipf(random, organisation.sites.length)]!;
  const size = lognormal(random, 6 * MB, 1.5);
  const end = scene.send(browser, at, { name, sent: 3 * KB, received: size });
  const path = `${scene.profile}\\Downloads\\${topic(scene)}.zip`;
  scene.write(browser, end, path, {
    size,
    mimeType: ZIP,
    ...(random.chance(0.7) ? { origin: `https://${name}/` } : {}),
  });
  if (random.chance(0.5)) scene.write(browser, end + SECOND, `${path}:Zone.Identifier`, { op: 'stream', size: 90 });
}

export function errorReport(scene: Scene, at: number): void {
  const { random } = scene;
  const wer = scene.start('wermgr', at, {
    parent: scene.resident('svchost'),
    commandLine: `C:\\Windows\\system32\\wermgr.exe -upload`,
  });
  const size = lognormal(random, 600 * KB, 1);
  scene.write(
    wer,
    at + SECOND,
    `C:\\ProgramData\\Microsoft\\Windows\\WER\\Temp\\WER${random.below(0xffff).toString(16).toUpperCase()}.tmp.zip`,
    { size, mimeType: ZIP },
  );
  scene.send(wer, at + 20 * SECOND, {
    name: 'umwatsonc.events.data.microsoft.com',
    sent: size * 1.01 + 3 * KB,
    received: 6 * KB,
  });
  scene.end(wer, at + 2 * MINUTE);
}

export function officeSync(scene: Scene, at: number): void {
  const { random, organisation } = scene;
  const onedrive = scene.resident('onedrive');
  const excel = scene.resident('excel');
  for (let i = random.below(4); i >= 0; i--) {
    scene.write(
      excel,
      at - (i + 1) * 20 * SECOND,
      `${scene.profile}\\OneDrive - ${organisation.name}\\${topic(scene)}.xlsx`,
      { size: lognormal(random, 300 * KB, 1.2), mimeType: ZIP },
    );
  }
  scene.send(onedrive, at, {
    name: `${organisation.name}-my.sharepoint.com`,
    sent: lognormal(random, 300 * KB, 1.8),
    received: lognormal(random, 100 * KB, 1.6),
    chunk: 10_485_760,
  });
}

export function nightlyBackup(scene: Scene, at: number): void {
  const { random, organisation } = scene;
  const agent = scene.resident('backup');
  const size = lognormal(random, 120 * MB, 1);
  if (random.chance(0.4))
    scene.write(agent, at, `C:\\ProgramData\\Calyx\\cache\\set-${random.below(1e6)}.cab`, { size: size / 4 });
  for (let left = size; left > 0; left -= 200 * MB) {
    scene.send(agent, at + between(random, 0, 90) * MINUTE, {
      name: `${organisation.name}-vault.s3.eu-central-1.amazonaws.com`,
      sent: Math.min(left, 200 * MB) + 40 * KB,
      received: 90 * KB,
      chunk: 5_242_880,
    });
  }
}

/** A desktop application that this host has never had: its own servers, its own settings packed at the first start. */
export function newApplication(scene: Scene, at: number): void {
  const { random, organisation, host } = scene;
  // Some are everybody's, some are nobody else's.
  const name = organisation.sites[random.chance(0.6) ? 40 + random.below(60) : 200 + random.below(2_000)]!;
  const word = name.split('.')[0]!;
  const signed = random.chance(0.75);
  const application = {
    image: `~\\AppData\\Local\\Programs\\${word}\\${word}.exe`,
    originalName: `${word}.exe`,
    product: word,
    company: word,
    hello: random.chance(0.6) ? 'chromium' : 'schannel',
    ...(signed ? { signer: `${word} Inc.` } : {}),
  } as const;
  const proc = scene.start(application, at, { parent: scene.resident('explorer') });
  for (let i = random.below(5); i >= 0; i--) {
    scene.send(proc, at + between(random, 0.1, 120) * MINUTE, {
      name: `api.${name}`,
      sent: lognormal(random, 20 * KB, 2),
      received: lognormal(random, 300 * KB, 1.5),
    });
  }
  if (random.chance(0.1))
    scene.write(proc, at + 5 * SECOND, `C:\\Users\\${host.user.name}\\AppData\\Local\\${word}\\logs\\session.zip`, {
      size: lognormal(random, 400 * KB, 1),
      mimeType: ZIP,
    });
}

/** Everybody gets a program on the same day; it reports to its maker, logs packed. */
export function rollout(scene: Scene, at: number, number: number): void {
  const { random, organisation } = scene;
  const maker = streamOf(organisation.seed, 'rollout', number);
  const name = inventedDomain(maker);
  const word = name.split('.')[0]!;
  const client = {
    image: `C:\\Program Files\\${word}\\${word}svc.exe`,
    originalName: `${word}svc.exe`,
    product: word,
    company: word,
    signer: `${word} Software Ltd`,
    hello: maker.chance(0.5) ? 'go' : 'schannel',
    system: true,
  } as const;
  const installer = scene.start('cmd', at - MINUTE, {
    parent: scene.resident('services'),
    commandLine: `cmd.exe /c msiexec /i ${word}.msi /qn`,
  });
  const proc = scene.start(client, at, { parent: installer });
  const size = lognormal(random, 700 * KB, 0.8);
  scene.write(proc, at + 30 * SECOND, `C:\\ProgramData\\${word}\\diag\\inventory.zip`, { size, mimeType: ZIP });
  scene.send(proc, at + 50 * SECOND, { name: `intake.${name}`, sent: size * 1.01 + 4 * KB, received: 20 * KB });
  scene.send(proc, at + 90 * MINUTE, { name: `intake.${name}`, sent: 9 * KB, received: 12 * KB });
}

/** Photos or a share copied to a folder: many files at once. */
export function copyFolder(scene: Scene, at: number): void {
  const { random } = scene;
  const explorer = scene.resident('explorer');
  const folder = `${scene.profile}\\Documents\\${topic(scene)}`;
  for (let i = 0, many = 15 + random.below(40); i < many; i++) {
    scene.write(explorer, at + i * 400_000, `${folder}\\${1000 + i}.${random.pick(['jpg', 'docx', 'pdf', 'xlsx'])}`, {
      size: lognormal(random, 900 * KB, 1),
    });
  }
}

export const updates = (scene: Scene, at: number): void => {
  scene.send(scene.resident('svchost'), at, {
    name: scene.random.pick([
      'slscr.update.microsoft.com',
      'fe3cr.delivery.mp.microsoft.com',
      'dl.delivery.mp.microsoft.com',
    ]),
    sent: lognormal(scene.random, 9 * KB, 1),
    received: lognormal(scene.random, 4 * MB, 2),
  });
};

/** Days in the life of a simulation on which software is rolled out, and to which share of hosts. */
export const rolloutsOn = (
  seed: number,
  day: number,
): readonly { readonly number: number; readonly share: number }[] =>
  day % 5 === 1
    ? [{ number: numberOf(seed, 'rollouts', day), share: 0.15 + (numberOf(seed, 'share', day) % 60) / 100 }]
    : [];
