/** What developers, administrators, accountants and servers do besides. */
import { between, hexOf, inventedDomain, inventedWord, lognormal, streamOf } from './chance.ts';
import type { Habit } from './common-habits.ts';
import { chat, packByHand, SEVEN_ZIP, topic, ZIP } from './ordinary-work.ts';
import type { ProgramName } from './programs.ts';
import { MINUTE, type Scene, SECOND } from './scene.ts';

const KB = 1e3;
const MB = 1e6;

/** A command in the user's terminal that talks to a server and ends. */
function command(
  scene: Scene,
  at: number,
  program: ProgramName,
  commandLine: string,
  to: { name: string; sent: number; received: number; chunk?: number },
): void {
  const { random } = scene;
  const shell = scene.resident('powershell');
  const proc = scene.start(program, at, {
    parent: shell,
    commandLine,
    directory: `${scene.profile}\\src\\${hexOf(4, scene.host.index)}`,
  });
  const end = scene.send(proc, at + between(random, 0.2, 3) * SECOND, to);
  scene.end(proc, end + SECOND);
}

const repository = (scene: Scene): string =>
  `${scene.profile}\\src\\${hexOf(4, scene.host.index, scene.random.below(4))}`;

function build(scene: Scene, at: number): void {
  const { random, organisation } = scene;
  const folder = `${repository(scene)}\\dist`;
  const path = `${folder}\\build-${random.below(1e5)}.zip`;
  const size = lognormal(random, 14 * MB, 1.1);
  const shell = scene.resident('powershell');
  const packer = scene.start(random.chance(0.5) ? 'tar' : 'sevenZip', at, {
    parent: shell,
    commandLine: random.chance(0.5) ? `tar -a -c -f ${path} *` : `7z a ${path} .\\out\\*`,
    directory: folder,
  });
  scene.write(packer, at + 2 * SECOND, path, { size, mimeType: ZIP });
  scene.end(packer, at + 5 * SECOND);
  if (!random.chance(0.4)) return;
  const upload = at + between(random, 0.2, 6) * MINUTE;
  // Every team has its way.
  const way = streamOf(organisation.seed, 'artefacts', scene.host.index).below(4);
  const sent = size * between(random, 1.002, 1.02) + 9 * KB;
  if (way === 0)
    command(scene, upload, 'aws', `aws s3 cp ${path} s3://${organisation.name}-artifacts/ci/`, {
      name: `${organisation.name}-artifacts.s3.eu-west-1.amazonaws.com`,
      sent,
      received: 30 * KB,
      chunk: 8_388_608,
    });
  else if (way === 1)
    command(
      scene,
      upload,
      'azcopy',
      `azcopy copy ${path} https://${organisation.name}builds.blob.core.windows.net/ci/`,
      { name: `${organisation.name}builds.blob.core.windows.net`, sent, received: 30 * KB, chunk: 8_388_608 },
    );
  else if (way === 2)
    command(scene, upload, 'gh', `gh release upload nightly ${path} --clobber`, {
      name: 'uploads.github.com',
      sent,
      received: 20 * KB,
    });
  else
    command(scene, upload, 'curl', `curl -fsS -T ${path} https://nexus.${organisation.name}.io/repository/raw/`, {
      name: `nexus.${organisation.name}.io`,
      sent,
      received: 9 * KB,
    });
}

const packages = (scene: Scene, at: number): void => {
  const { random } = scene;
  const received = lognormal(random, 5 * MB, 1.8);
  const sent = lognormal(random, 8 * KB, 1);
  const [program, line, name] = random.pick([
    ['node', 'node C:\\Program Files\\nodejs\\node_modules\\npm\\bin\\npm-cli.js install', 'registry.npmjs.org'],
    ['python', 'python -m pip install -r requirements.txt', 'files.pythonhosted.org'],
    ['dotnet', 'dotnet restore', 'api.nuget.org'],
    ['winget', 'winget upgrade --all', 'cdn.winget.microsoft.com'],
    ['java', 'java -classpath gradle-wrapper.jar org.gradle.wrapper.GradleWrapperMain build', 'repo.maven.apache.org'],
  ] as const);
  command(scene, at, program, line, { name, sent, received });
  if (random.chance(0.5)) {
    const proc = scene.resident('powershell');
    scene.write(proc, at + MINUTE, `${scene.profile}\\.nuget\\packages\\${topic(scene)}.nupkg`, {
      size: lognormal(random, 500 * KB, 1.2),
      mimeType: ZIP,
    });
  }
};

function push(scene: Scene, at: number): void {
  const { random } = scene;
  const git = scene.start('git', at, {
    parent: scene.resident('code'),
    commandLine: 'git push origin HEAD',
    directory: repository(scene),
  });
  const remote = scene.start('gitRemote', at + SECOND, {
    parent: git,
    commandLine: 'git remote-https origin https://github.com/team/app.git',
  });
  const pushes = random.chance(0.3);
  const end = scene.send(remote, at + 2 * SECOND, {
    name: 'github.com',
    sent: lognormal(random, pushes ? 400 * KB : 9 * KB, 1.8),
    received: lognormal(random, pushes ? 9 * KB : 900 * KB, 1.6),
  });
  scene.end(remote, end);
  scene.end(git, end + SECOND);
}

/** Sources by git, or a shell on a machine of the house in a cloud. */
function secureShell(scene: Scene, at: number): void {
  const { random, organisation } = scene;
  const byGit = random.chance(0.6);
  const name = byGit ? 'ssh.github.com' : `jump.${organisation.name}.io`;
  const ssh = scene.start('ssh', at, {
    parent: scene.resident('powershell'),
    commandLine: byGit ? 'ssh git@ssh.github.com git-receive-pack' : `ssh ops@${name}`,
  });
  const end = scene.send(ssh, at + SECOND, {
    name,
    port: 22,
    protocol: 'ssh',
    sent: lognormal(random, 30 * KB, 1.8),
    received: lognormal(random, 90 * KB, 1.6),
  });
  scene.end(ssh, end);
}

/** A script against an interface that nobody in the house has used. */
function strangeInterface(scene: Scene, at: number): void {
  const { random } = scene;
  const name = `api.${inventedDomain(random)}`;
  const sends = random.chance(0.3);
  command(
    scene,
    at,
    random.chance(0.5) ? 'curl' : 'python',
    random.chance(0.5)
      ? `curl -sS https://${name}/v1/items -d @query.json`
      : `python fetch.py --endpoint https://${name}`,
    { name, sent: lognormal(random, sends ? 400 * KB : 5 * KB, 1.6), received: lognormal(random, 200 * KB, 2) },
  );
}

/** A data set or a dump to a customer's or a pilot's bucket: new to everybody, and rightly so. */
function newBucket(scene: Scene, at: number): void {
  const { random } = scene;
  const path = `${scene.profile}\\data\\${topic(scene)}.7z`;
  const size = lognormal(random, 60 * MB, 1);
  const shell = scene.resident('powershell');
  const packer = scene.start('sevenZip', at, { parent: shell, commandLine: `7z a ${path} .\\export\\*` });
  scene.write(packer, at + 3 * SECOND, path, { size, mimeType: SEVEN_ZIP });
  scene.end(packer, at + 20 * SECOND);
  const bucket = `${inventedWord(random)}-shared`;
  command(scene, at + between(random, 2, 50) * MINUTE, 'aws', `aws s3 cp ${path} s3://${bucket}/in/`, {
    name: `${bucket}.s3.eu-west-1.amazonaws.com`,
    sent: size * 1.006,
    received: 40 * KB,
    chunk: 8_388_608,
  });
}

const cloudScript = (scene: Scene, at: number): void => {
  const { random } = scene;
  const proc = scene.start('powershell', at, {
    parent: scene.resident('services'),
    commandLine: `powershell.exe -NoProfile -File C:\\Scripts\\${random.pick(['licences', 'mailboxes', 'devices', 'guests'])}.ps1`,
  });
  for (let i = random.below(4); i >= 0; i--) {
    scene.send(proc, at + (i + 1) * 9 * SECOND, {
      name: random.pick(['graph.microsoft.com', 'login.microsoftonline.com', 'management.azure.com']),
      sent: lognormal(random, 12 * KB, 1.4),
      received: lognormal(random, 90 * KB, 1.5),
    });
  }
  scene.end(proc, at + 3 * MINUTE);
};

/** Logs for a maker's support: packed with a password, sent to a place met for the first time. */
function supportBundle(scene: Scene, at: number): void {
  const { random } = scene;
  const path = `C:\\Temp\\support-${random.below(1e5)}.zip`;
  const size = lognormal(random, 30 * MB, 1);
  const shell = scene.resident('cmd');
  const packer = scene.start('sevenZip', at, {
    parent: shell,
    commandLine: `7z a ${random.chance(0.3) ? `-p${random.below(1e6)} ` : ''}${path} C:\\Logs\\*`,
  });
  scene.write(packer, at + 2 * SECOND, path, { size, mimeType: ZIP });
  const name = `upload.${inventedDomain(random)}`;
  if (random.chance(0.5))
    scene.send(scene.resident(scene.host.browser), at + 10 * MINUTE, { name, sent: size * 1.004, received: 30 * KB });
  else {
    const winscp = scene.start('winscp', at + 5 * MINUTE, { parent: scene.resident('explorer') });
    scene.read(winscp, at + 6 * MINUTE, path, { size });
    scene.send(winscp, at + 6 * MINUTE, { name, port: 22, protocol: 'ssh', sent: size * 1.01, received: 40 * KB });
  }
}

/** A file for a known business partner. */
const partnerTransfer = (scene: Scene, at: number, program: 'winscp' | 'filezilla' | 'ledger'): void => {
  const { random, organisation, host } = scene;
  const own = streamOf(organisation.seed, 'partner', host.index);
  const partner = organisation.partners[own.below(6)]!;
  const packed = random.chance(0.5) ? packByHand(scene, at, 2 * MB) : undefined;
  const size = packed?.size ?? lognormal(random, 600 * KB, 1.4);
  const proc = scene.start(program, at + 3 * MINUTE, { parent: scene.resident('explorer') });
  if (packed) scene.read(proc, packed.end + 2 * MINUTE, packed.path, { size });
  const name = program === 'ledger' ? 'transfer.tarnow.eu' : `sftp.${partner}`;
  scene.send(proc, (packed?.end ?? at) + 4 * MINUTE, {
    name,
    sent: size * 1.008 + 5 * KB,
    received: 20 * KB,
    ...(program === 'winscp' ? { port: 22, protocol: 'ssh' } : {}),
  });
};

function databaseBackup(scene: Scene, at: number): void {
  const { random, organisation } = scene;
  const size = lognormal(random, 250 * MB, 0.9);
  const day = `${scene.day}-${random.below(1e4)}`;
  const script = scene.start('powershell', at, {
    parent: scene.resident('services'),
    commandLine: 'powershell.exe -File D:\\Jobs\\offsite.ps1',
  });
  const packer = scene.start('sevenZip', at + MINUTE, {
    parent: script,
    commandLine: `7z a D:\\Dumps\\db-${day}.7z D:\\Dumps\\*.bak`,
  });
  scene.write(packer, at + 2 * MINUTE, `D:\\Dumps\\db-${day}.7z`, { size, mimeType: SEVEN_ZIP });
  scene.end(packer, at + 9 * MINUTE);
  const azcopy = scene.start('azcopy', at + 10 * MINUTE, {
    parent: script,
    commandLine: `azcopy copy D:\\Dumps\\db-${day}.7z https://${organisation.name}dumps.blob.core.windows.net/sql/`,
  });
  const end = scene.send(azcopy, at + 10 * MINUTE + 2 * SECOND, {
    name: `${organisation.name}dumps.blob.core.windows.net`,
    sent: size * 1.006,
    received: 200 * KB,
    chunk: 8_388_608,
  });
  scene.end(azcopy, end);
}

export const ROLE_HABITS: readonly Habit[] = [
  { kind: 'build', rate: { developer: 6 }, when: 'work', act: build },
  { kind: 'package manager', rate: { developer: 3, admin: 0.3 }, when: 'work', act: packages },
  { kind: 'git', rate: { developer: 5, admin: 0.3 }, when: 'work', act: push },
  { kind: 'secure shell', rate: { developer: 1, admin: 2 }, when: 'work', act: secureShell },
  {
    kind: 'development tools',
    rate: { developer: 2 },
    when: 'work',
    act: chat(
      'code',
      ['marketplace.visualstudio.com', 'api.githubcopilot.com', 'raw.githubusercontent.com'],
      40 * KB,
      90 * KB,
    ),
  },
  {
    kind: 'development tools',
    rate: { developer: 1 },
    when: 'work',
    act: chat('idea', ['plugins.jetbrains.com', 'resources.jetbrains.com'], 12 * KB, 300 * KB),
    hosts: 0.4,
  },
  {
    kind: 'containers',
    rate: { developer: 0.8 },
    when: 'work',
    act: chat('docker', ['registry-1.docker.io', 'production.cloudflare.docker.com'], 60 * KB, 20 * MB),
    hosts: 0.6,
  },
  { kind: 'strange interface', rate: { developer: 0.25, admin: 0.1 }, when: 'work', act: strangeInterface },
  { kind: 'new bucket', rate: { developer: 0.004, admin: 0.004 }, when: 'work', act: newBucket },
  { kind: 'administration script', rate: { admin: 5, server: 0.8 }, when: 'on', act: cloudScript },
  { kind: 'support bundle', rate: { admin: 0.03, server: 0.003 }, when: 'work', act: supportBundle },
  {
    kind: 'file for a partner',
    rate: { admin: 0.3, finance: 0.25, office: 0.01 },
    when: 'work',
    act: (s, at) => partnerTransfer(s, at, s.host.index % 2 === 0 ? 'winscp' : 'filezilla'),
  },
  {
    kind: 'accounting transfer',
    rate: { finance: 0.6 },
    when: 'work',
    act: (s, at) => partnerTransfer(s, at, 'ledger'),
  },
  { kind: 'database backup', rate: { server: 0.9 }, when: 'night', act: databaseBackup, hosts: 0.35 },
  {
    kind: 'log shipping',
    rate: { server: 6 },
    when: 'on',
    act: chat('logShipper', ['logs.eu-central-1.aws.found.io'], 900 * KB, 9 * KB),
  },
  {
    kind: 'monitoring',
    rate: { server: 2 },
    when: 'on',
    act: chat('monitor', ['monitor.zabbix.cloud'], 40 * KB, 9 * KB),
    hosts: 0.5,
  },
];
