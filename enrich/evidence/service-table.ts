import type { DestinationCategory } from './tenant-table.ts';

/**
 * Public services that data is known to be carried to, by the end of their names. `hidden`: many customers behind one
 * name, so that a stranger's account looks like one's own. Sources: ATT&CK T1567 and T1102 procedure examples, public
 * detection rules on file sharing and web services, the services' own pages. A row is no verdict: all of them have
 * ordinary users.
 */
export const SERVICE_TABLE_VERSION = '2026.1';

export interface Service {
  readonly provider: string;
  readonly category?: DestinationCategory;
  /** Customers exist and the name does not show which. */
  readonly hidden: boolean;
}

type Line = readonly [provider: string, category: DestinationCategory | undefined, hidden: boolean, suffixes: string];

const LINES: readonly Line[] = [
  ['dropbox', 'cloud-storage', true, 'dropbox.com dropboxapi.com dropboxusercontent.com dropbox-dns.com'],
  [
    'onedrive',
    'cloud-storage',
    true,
    'onedrive.live.com api.onedrive.com 1drv.ms 1drv.com storage.live.com onedrive.com',
  ],
  [
    'google-drive',
    'cloud-storage',
    true,
    'drive.google.com docs.google.com drive.usercontent.google.com content.googleapis.com drivefrontend-pa.clients6.google.com',
  ],
  ['google-apis', undefined, true, 'www.googleapis.com upload.googleapis.com'],
  ['icloud', 'cloud-storage', true, 'icloud.com icloud-content.com'],
  ['box', 'cloud-storage', true, 'box.com boxcdn.net boxcloud.com'],
  ['mega', 'cloud-storage', true, 'mega.nz mega.co.nz mega.io megaupload.com'],
  ['pcloud', 'cloud-storage', true, 'pcloud.com pcloud.link'],
  ['mediafire', 'file-sharing', true, 'mediafire.com'],
  ['yandex-disk', 'cloud-storage', true, 'disk.yandex.ru disk.yandex.net disk.yandex.com yadi.sk'],
  ['mail.ru-cloud', 'cloud-storage', true, 'cloud.mail.ru'],
  ['proton-drive', 'cloud-storage', true, 'drive.proton.me drive-api.proton.me'],
  ['sync.com', 'cloud-storage', true, 'sync.com'],
  ['idrive', 'cloud-storage', true, 'idrive.com'],
  ['koofr', 'cloud-storage', true, 'koofr.net koofr.eu'],
  ['jottacloud', 'cloud-storage', true, 'jottacloud.com'],
  ['terabox', 'cloud-storage', true, 'terabox.com'],
  ['storj', 'cloud-storage', true, 'storjshare.io'],
  ['filebase', 'cloud-storage', true, 'filebase.com'],
  [
    'one-time file sharing',
    'file-sharing',
    true,
    'file.io transfer.sh gofile.io anonfiles.com anonfile.com ufile.io temp.sh 0x0.st oshi.at bashupload.com wetransfer.com we.tl sendspace.com sendgb.com filetransfer.io fromsmash.com catbox.moe litterbox.catbox.moe pixeldrain.com krakenfiles.com workupload.com filemail.com uploadfiles.io easyupload.io send.vis.ee wormhole.app transfernow.net swisstransfer.com privatlab.com privatlab.net send-anywhere.com qaz.im dropmefiles.com zippyshare.com filebin.net tmpfiles.org uguu.se put.re keep.sh chunk.io free.keep.sh x0.at bayfiles.com 4shared.com rapidgator.net uploadgig.com hightail.com',
  ],
  [
    'paste site',
    'paste',
    true,
    'pastebin.com paste.ee ghostbin.co ghostbin.com hastebin.com rentry.co rentry.org controlc.com pastes.dev privatebin.net privatebin.info termbin.com dpaste.com dpaste.org ix.io sprunge.us justpaste.it pastebin.pl paste.rs paste.mozilla.org pastie.org textbin.net pastetext.net zerobin.net bpa.st cl1p.net hasteb.in telegra.ph',
  ],
  ['telegram', 'messaging', true, 'telegram.org t.me telegram.me'],
  ['discord', 'messaging', true, 'discord.com discordapp.com discordapp.net discord.gg'],
  ['slack', 'messaging', true, 'slack.com slack-files.com slack-edge.com'],
  ['whatsapp', 'messaging', true, 'whatsapp.net whatsapp.com'],
  ['signal', 'messaging', true, 'signal.org'],
  ['microsoft-teams-webhook', 'webhook', true, 'outlook.office.com outlook.webhook.office.com'],
  ['matrix', 'messaging', true, 'matrix.org'],
  ['twilio', 'messaging', true, 'twilio.com'],
  [
    'mail service',
    'messaging',
    true,
    'mailgun.net sendgrid.net sendgrid.com smtp2go.com smtp.gmail.com smtp.office365.com',
  ],
  ['github', 'code-repo', true, 'github.com githubusercontent.com githubapp.com gist.github.com'],
  ['gitlab', 'code-repo', true, 'gitlab.com'],
  ['bitbucket', 'code-repo', true, 'bitbucket.org'],
  ['codeberg', 'code-repo', true, 'codeberg.org'],
  ['gitee', 'code-repo', true, 'gitee.com'],
  ['hugging-face', 'code-repo', true, 'huggingface.co hf.co'],
  ['ngrok', 'tunnel', false, 'ngrok.io ngrok.com ngrok-free.app ngrok-free.dev ngrok.app ngrok.dev ngrok-agent.com'],
  ['cloudflare-tunnel', 'tunnel', false, 'trycloudflare.com cfargotunnel.com argotunnel.com'],
  ['microsoft-dev-tunnels', 'tunnel', false, 'devtunnels.ms tunnels.api.visualstudio.com'],
  [
    'tunnel service',
    'tunnel',
    false,
    'loca.lt localtunnel.me serveo.net localhost.run lhr.life lhr.rocks pagekite.me tunnelmole.net bore.pub localxpose.io loclx.io telebit.io pinggy.link pinggy.io playit.gg portmap.io packetriot.com packetriot.net zrok.io tailscale.com ts.net remote.it',
  ],
  [
    'request collector',
    'webhook',
    true,
    'webhook.site requestbin.com requestbin.net pipedream.com pipedream.net hookbin.com beeceptor.com requestcatcher.com hookdeck.com ptsv2.com ptsv3.com typedwebhook.tools postb.in interact.sh interactsh.com oast.pro oast.live oast.site oast.online oast.fun oast.me burpcollaborator.net oastify.com dnslog.cn canarytokens.com ifttt.com maker.ifttt.com hooks.zapier.com smee.io svix.com',
  ],
  ['cloudflare-workers', 'serverless', false, 'workers.dev pages.dev'],
  [
    'serverless host',
    'serverless',
    false,
    'vercel.app netlify.app deno.dev fly.dev onrender.com railway.app herokuapp.com glitch.me repl.co replit.app web.app firebaseapp.com',
  ],
];

/** By the end of the name. */
export const SERVICES: ReadonlyMap<string, Service> = new Map(
  LINES.flatMap(([provider, category, hidden, suffixes]) =>
    suffixes
      .split(' ')
      .map((suffix): [string, Service] => [
        suffix,
        { provider, hidden, ...(category === undefined ? {} : { category }) },
      ]),
  ),
);

/** The row with the longest name that `host` ends in, label by label. */
export function serviceOf(host: string, services: ReadonlyMap<string, Service> = SERVICES): Service | undefined {
  let rest = host;
  for (;;) {
    const found = services.get(rest);
    if (found !== undefined) return found;
    const dot = rest.indexOf('.');
    if (dot < 0) return undefined;
    rest = rest.slice(dot + 1);
  }
}

/** Hosts of certificate status and revocation lists; every program that checks a certificate asks them, in a few bytes. */
export const CERTIFICATE_STATUS_HOSTS: readonly string[] = [
  'ocsp.digicert.com',
  'crl3.digicert.com',
  'crl4.digicert.com',
  'cacerts.digicert.com',
  'ocsp.globalsign.com',
  'ocsp2.globalsign.com',
  'crl.globalsign.com',
  'secure.globalsign.com',
  'ocsp.sectigo.com',
  'crl.sectigo.com',
  'crt.sectigo.com',
  'ocsp.usertrust.com',
  'crl.usertrust.com',
  'ocsp.comodoca.com',
  'crl.comodoca.com',
  'ocsp.entrust.net',
  'crl.entrust.net',
  'ocsp.pki.goog',
  'o.pki.goog',
  'c.pki.goog',
  'i.pki.goog',
  'crl.pki.goog',
  'o.lencr.org',
  'c.lencr.org',
  'i.lencr.org',
  'ocsp.verisign.com',
  'ocsp.godaddy.com',
  'crl.godaddy.com',
  'ocsp.rootca1.amazontrust.com',
  'amazontrust.com',
  'oneocsp.microsoft.com',
  'ocsp.msocsp.com',
  'crl.microsoft.com',
  'mscrl.microsoft.com',
  'ctldl.windowsupdate.com',
  'ocsp.apple.com',
  'ocsp.quovadisglobal.com',
  'ocsp.certum.pl',
];
