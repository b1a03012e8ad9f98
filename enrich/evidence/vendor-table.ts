import { type PathPattern, pathPatterns } from './path-pattern.ts';

/**
 * Programs that talk to their own maker's cloud all day: agents of Windows, sync and backup clients, security agents,
 * development tools. Sources: the vendors' lists of addresses to allow in a firewall. Each row ties signer, program and
 * destination together; none of them alone is an excuse. A tenant's own storage (somebody's bucket) is never the
 * vendor's cloud, unless the row says so.
 */
export const VENDOR_TABLE_VERSION = '2026.1';

export interface VendorFamily {
  readonly family: string;
  /** Signers, compared whole. */
  readonly signers: readonly string[];
  /** Image names, lower case; empty means any program of that signer in the folders. */
  readonly images: readonly string[];
  /** Folders the programs lie in. Needed when the feed knows no signer, and always checked when the image is any. */
  readonly places: readonly PathPattern[];
  /** Ends of destination names, label by label. */
  readonly destinations: readonly string[];
  /** The destination may be a tenant of the provider (a storage account that the agent is known to use). */
  readonly tenants?: boolean;
}

interface Row {
  family: string;
  signers: string[];
  images?: string;
  places: string[];
  destinations: string;
  tenants?: boolean;
}

const vendor = (row: Row): VendorFamily => ({
  family: row.family,
  signers: row.signers,
  images: row.images?.split(' ') ?? [],
  places: pathPatterns(row.places),
  destinations: row.destinations.split(' '),
  ...(row.tenants === undefined ? {} : { tenants: row.tenants }),
});

const pf = (...folders: string[]): string[] =>
  folders.flatMap((folder) => [`\\program files\\${folder}\\**`, `\\program files (x86)\\${folder}\\**`]);
const local = (...folders: string[]): string[] => folders.map((folder) => `\\users\\*\\appdata\\local\\${folder}\\**`);

const MS = ['Microsoft Corporation', 'Microsoft Windows', 'Microsoft Windows Publisher'];
const SYSTEM = ['\\windows\\system32\\**', '\\windows\\syswow64\\**', '\\windows\\*', '\\windows\\systemapps\\**'];
const TELEMETRY =
  'events.data.microsoft.com vortex.data.microsoft.com settings-win.data.microsoft.com telemetry.microsoft.com';

export const VENDOR_FAMILIES: readonly VendorFamily[] = [
  vendor({
    family: 'Windows Update and Delivery Optimization',
    signers: MS,
    images:
      'svchost.exe usoclient.exe wuauclt.exe mousocoreworker.exe tiworker.exe dosvc.exe sihclient.exe waasmedicagent.exe',
    places: [...SYSTEM, '\\windows\\winsxs\\**', '\\windows\\uus\\**'],
    destinations: `windowsupdate.com update.microsoft.com delivery.mp.microsoft.com dl.delivery.mp.microsoft.com do.dsp.mp.microsoft.com prod.do.dsp.mp.microsoft.com download.microsoft.com ${TELEMETRY} msftconnecttest.com`,
  }),
  vendor({
    family: 'Windows telemetry and error reporting',
    signers: MS,
    images: 'svchost.exe wermgr.exe werfault.exe compattelrunner.exe devicecensus.exe disktoast.exe wsqmcons.exe',
    places: SYSTEM,
    destinations: `${TELEMETRY} watson.telemetry.microsoft.com watson.microsoft.com oca.telemetry.microsoft.com oca.microsoft.com umwatson.events.data.microsoft.com`,
  }),
  vendor({
    family: 'Windows error reporting uploads',
    signers: MS,
    images: 'wermgr.exe werfault.exe',
    places: SYSTEM,
    destinations: 'blob.core.windows.net',
    tenants: true,
  }),
  vendor({
    family: 'Windows shell services',
    signers: MS,
    images:
      'svchost.exe backgroundtaskhost.exe searchapp.exe searchhost.exe searchui.exe startmenuexperiencehost.exe smartscreen.exe runtimebroker.exe explorer.exe wwahost.exe lsass.exe taskhostw.exe sihost.exe',
    places: SYSTEM,
    destinations:
      'bing.com msn.com live.com login.microsoftonline.com login.live.com smartscreen.microsoft.com smartscreen-prod.microsoft.com wns.windows.com microsoft.com msftncsi.com windows.com akadns.net s-microsoft.com',
  }),
  vendor({
    family: 'Microsoft Defender',
    signers: MS,
    images:
      'msmpeng.exe mpcmdrun.exe mpdefendercoreservice.exe nissrv.exe mssense.exe senseir.exe sensecncproxy.exe sensendr.exe sensesamplingservice.exe',
    places: [
      ...pf('windows defender', 'windows defender advanced threat protection'),
      '\\programdata\\microsoft\\windows defender\\**',
      '\\programdata\\microsoft\\windows defender advanced threat protection\\**',
    ],
    destinations:
      'wdcp.microsoft.com wdcpalt.microsoft.com wd.microsoft.com security.microsoft.com securitycenter.windows.com endpoint.security.microsoft.com dm.microsoft.com smartscreen.microsoft.com events.data.microsoft.com',
  }),
  vendor({
    family: 'Microsoft Defender sample upload',
    signers: MS,
    images: 'msmpeng.exe mssense.exe sensesamplingservice.exe senseir.exe',
    places: [
      ...pf('windows defender', 'windows defender advanced threat protection'),
      '\\programdata\\microsoft\\windows defender\\**',
      '\\programdata\\microsoft\\windows defender advanced threat protection\\**',
    ],
    destinations: 'blob.core.windows.net',
    tenants: true,
  }),
  vendor({
    family: 'OneDrive',
    signers: MS,
    images:
      'onedrive.exe filecoauth.exe onedrivestandaloneupdater.exe onedriveupdaterservice.exe microsoft.sharepoint.exe filesyncconfig.exe',
    places: [...local('microsoft\\onedrive'), ...pf('microsoft onedrive')],
    destinations:
      'onedrive.live.com onedrive.com 1drv.com storage.live.com sharepoint.com svc.ms live.com microsoft.com office.com office.net officeapps.live.com oneclient.sfx.ms microsoftonline.com',
    tenants: true,
  }),
  vendor({
    family: 'Microsoft Teams',
    signers: MS,
    images: 'teams.exe ms-teams.exe msteams.exe msteamsupdate.exe update.exe squirrel.exe',
    places: [...local('microsoft\\teams'), ...pf('microsoft\\teams', 'teams installer', 'windowsapps')],
    destinations:
      'teams.microsoft.com teams.cdn.office.net skype.com microsoft.com office.com office.net microsoftonline.com live.com sharepoint.com trouter.io',
    tenants: true,
  }),
  vendor({
    family: 'Microsoft Office',
    signers: MS,
    images:
      'outlook.exe winword.exe excel.exe powerpnt.exe onenote.exe onenotem.exe olk.exe officeclicktorun.exe officec2rclient.exe msoia.exe msoadfsb.exe sdxhelper.exe msaccess.exe lync.exe',
    places: [...pf('microsoft office', 'windowsapps', 'common files\\microsoft shared')],
    destinations:
      'office.com office.net office365.com outlook.com officeapps.live.com officecdn.microsoft.com microsoft.com microsoftonline.com live.com svc.ms sharepoint.com msocdn.com cloud.microsoft',
    tenants: true,
  }),
  vendor({
    family: 'browser updates',
    signers: [
      'Google LLC',
      'Google Inc',
      'Microsoft Corporation',
      'Mozilla Corporation',
      'Brave Software, Inc.',
      'Opera Norway AS',
    ],
    images:
      'googleupdate.exe updater.exe googlecrashhandler.exe googlecrashhandler64.exe microsoftedgeupdate.exe maintenanceservice.exe pingsender.exe crashreporter.exe default-browser-agent.exe braveupdate.exe opera_autoupdate.exe browser_assistant.exe',
    places: [
      ...pf(
        'google',
        'microsoft\\edgeupdate',
        'mozilla firefox',
        'mozilla maintenance service',
        'bravesoftware',
        'opera*',
      ),
      ...local('google', 'microsoft\\edgeupdate', 'programs\\opera*'),
    ],
    destinations:
      'google.com googleapis.com gvt1.com gstatic.com msedge.api.cdp.microsoft.com microsoft.com mozilla.org mozilla.com mozilla.net mozgcp.net brave.com bravesoftware.com opera.com operacdn.com opera.software',
  }),
  vendor({
    family: 'Dropbox',
    signers: ['Dropbox, Inc', 'Dropbox, Inc.'],
    places: [...pf('dropbox'), ...local('dropbox')],
    destinations: 'dropbox.com dropboxapi.com dropboxusercontent.com dropboxstatic.com dropbox-dns.com',
  }),
  vendor({
    family: 'Google Drive',
    signers: ['Google LLC', 'Google Inc'],
    images: 'googledrivefs.exe googledrivesync.exe crashpad_handler.exe',
    places: pf('google\\drive file stream', 'google\\drive'),
    destinations: 'google.com googleapis.com googleusercontent.com gvt1.com gstatic.com',
  }),
  vendor({
    family: 'iCloud',
    signers: ['Apple Inc.'],
    places: pf('windowsapps', 'common files\\apple', 'icloud'),
    destinations: 'icloud.com icloud-content.com apple.com cdn-apple.com',
  }),
  vendor({
    family: 'Box Drive',
    signers: ['Box, Inc.'],
    places: pf('box'),
    destinations: 'box.com boxcloud.com boxcdn.net box.net',
    tenants: true,
  }),
  vendor({
    family: 'backup clients',
    signers: [
      'Veeam Software Group GmbH',
      'Acronis International GmbH',
      'Backblaze, Inc.',
      'Carbonite, Inc.',
      'Code42 Software, Inc.',
      'Datto Inc',
      'IDrive, Inc.',
      'Druva, Inc.',
    ],
    places: pf('veeam', 'acronis', 'backblaze', 'carbonite', 'code42', 'datto', 'idrivewindows', 'druva'),
    destinations:
      'veeam.com acronis.com backblaze.com backblazeb2.com carbonite.com code42.com crashplan.com datto.com dattobackup.com idrive.com druva.com',
  }),
  vendor({
    family: 'security agents',
    signers: [
      'CrowdStrike, Inc.',
      'Sentinel Labs, Inc.',
      'Elasticsearch, Inc.',
      'Carbon Black, Inc.',
      'Palo Alto Networks',
      'Palo Alto Networks (Netherlands) B.V.',
      'Sophos Ltd',
      'Sophos Limited',
      'Trend Micro, Inc.',
      'ESET, spol. s r.o.',
      'Bitdefender SRL',
      'Malwarebytes Inc.',
      'Malwarebytes Inc',
      'Cybereason, Inc',
      'McAfee, LLC',
      'Musarubra US LLC',
      'Kaspersky Lab',
      'Tanium Inc.',
      'Qualys, Inc.',
      'Rapid7 LLC',
      'Tenable, Inc.',
      'Wazuh, Inc',
      'Cisco Systems, Inc.',
    ],
    places: pf(
      'crowdstrike',
      'sentinelone',
      'elastic',
      'confer',
      'palo alto networks',
      'sophos',
      'trend micro',
      'eset',
      'bitdefender',
      'malwarebytes',
      'cybereason*',
      'mcafee',
      'trellix',
      'kaspersky lab',
      'tanium',
      'qualys',
      'rapid7',
      'tenable',
      'ossec-agent',
      'cisco',
    ),
    destinations:
      'crowdstrike.com cloudsink.net sentinelone.net elastic.co elastic-cloud.com es.io carbonblack.io conferdeploy.net paloaltonetworks.com xdr.us.paloaltonetworks.com sophos.com sophosxl.net sophosupd.com trendmicro.com eset.com eset.eu bitdefender.com bitdefender.net malwarebytes.com cybereason.net mcafee.com trellix.com kaspersky.com kaspersky-labs.com tanium.com qualys.com rapid7.com insight.rapid7.com tenable.com wazuh.com cisco.com amp.cisco.com umbrella.com opendns.com',
  }),
  vendor({
    family: 'log and monitoring agents',
    signers: [
      'Splunk Inc.',
      'Splunk, Inc.',
      'Elasticsearch, Inc.',
      'Datadog, Inc.',
      'New Relic, Inc.',
      'Dynatrace LLC',
      'Zabbix SIA',
      'Paessler AG',
      'Paessler GmbH',
      'SolarWinds Worldwide, LLC',
      'Grafana Labs',
      'Sumo Logic, Inc.',
      'Microsoft Corporation',
    ],
    images:
      'splunkd.exe splunk-winevtlog.exe elastic-agent.exe filebeat.exe metricbeat.exe winlogbeat.exe packetbeat.exe agent.exe agentbeat.exe newrelic-infra.exe oneagentos.exe zabbix_agentd.exe zabbix_agent2.exe prtg probe.exe monitoringhost.exe healthservice.exe monagentcore.exe monagenthost.exe alloy-windows-amd64.exe gc_worker.exe himds.exe waappagent.exe windowsazureguestagent.exe',
    places: [
      ...pf(
        'splunkuniversalforwarder',
        'splunk',
        'elastic',
        'datadog',
        'new relic',
        'dynatrace',
        'zabbix agent*',
        'prtg network monitor',
        'solarwinds',
        'microsoft monitoring agent',
        'grafanalabs',
        'sumo logic collector',
        'azure monitor agent',
        'azureconnectedmachineagent',
      ),
      '\\windowsazure\\**',
      '\\packages\\plugins\\**',
    ],
    destinations:
      'splunkcloud.com splunk.com elastic.co elastic-cloud.com es.io datadoghq.com datadoghq.eu newrelic.com nr-data.net dynatrace.com zabbix.com paessler.com solarwinds.com opinsights.azure.com monitor.azure.com azure-automation.net grafana.net sumologic.com his.arc.azure.com guestconfiguration.azure.com',
    tenants: true,
  }),
  vendor({
    family: 'meeting and chat clients',
    signers: [
      'Zoom Video Communications, Inc.',
      'Slack Technologies, Inc.',
      'Slack Technologies, LLC',
      'Cisco WebEx LLC',
      'Cisco Systems, Inc.',
      'Discord Inc.',
      'LogMeIn, Inc.',
      'GoTo Technologies USA, LLC',
      'WhatsApp LLC',
      'Signal Messenger, LLC',
      'Telegram FZ-LLC',
    ],
    places: [
      ...pf('zoom', 'slack*', 'webex', 'cisco spark', 'discord', 'gotomeeting', 'windowsapps'),
      ...local('slack', 'discord', 'goto', 'programs\\signal-desktop', 'ciscosparklauncher', 'webex'),
      '\\users\\*\\appdata\\roaming\\zoom\\**',
      '\\users\\*\\appdata\\roaming\\telegram desktop\\**',
    ],
    destinations:
      'zoom.us zoom.com slack.com slack-edge.com slackb.com slack-files.com webex.com wbx2.com ciscospark.com discord.com discord.gg discordapp.com discordapp.net goto.com logmein.com gotomeeting.com whatsapp.net whatsapp.com signal.org telegram.org',
    tenants: true,
  }),
  vendor({
    family: 'development tools',
    signers: [
      'Microsoft Corporation',
      'JetBrains s.r.o.',
      'GitHub, Inc.',
      'Docker Inc',
      'OpenJS Foundation',
      'Python Software Foundation',
      'Johannes Schindelin',
      'Postman, Inc.',
    ],
    images:
      'code.exe devenv.exe servicehub.host.exe idea64.exe pycharm64.exe webstorm64.exe rider64.exe goland64.exe datagrip64.exe clion64.exe phpstorm64.exe jetbrains-toolbox.exe githubdesktop.exe git.exe git-remote-https.exe docker.exe com.docker.backend.exe dotnet.exe nuget.exe msbuild.exe node.exe npm.exe postman.exe',
    places: [
      ...pf(
        'microsoft vs code',
        'microsoft visual studio',
        'jetbrains',
        'git',
        'docker',
        'dotnet',
        'nodejs',
        'github cli',
      ),
      ...local('programs\\microsoft vs code', 'jetbrains', 'githubdesktop', 'postman', 'programs\\git'),
    ],
    destinations:
      'visualstudio.com vsassets.io vscode-cdn.net microsoft.com nuget.org npmjs.org npmjs.com yarnpkg.com jetbrains.com github.com githubusercontent.com githubapp.com githubcopilot.com docker.com docker.io pypi.org pythonhosted.org crates.io rust-lang.org golang.org maven.org gradle.org electronjs.org postman.com getpostman.com gallerycdn.vsassets.io',
  }),
  vendor({
    family: 'Adobe',
    signers: ['Adobe Inc.', 'Adobe Systems Incorporated'],
    places: pf('adobe', 'common files\\adobe'),
    destinations: 'adobe.com adobe.io adobelogin.com adobecc.com adobedtm.com typekit.net acrobat.com',
  }),
  vendor({
    family: 'hardware makers',
    signers: [
      'Dell Inc',
      'Dell Technologies Inc.',
      'HP Inc.',
      'Lenovo',
      'Lenovo (Beijing) Limited',
      'NVIDIA Corporation',
      'Intel Corporation',
      'Advanced Micro Devices, Inc.',
      'Logitech Inc',
    ],
    places: [
      ...pf('dell', 'hp', 'hewlett-packard', 'lenovo', 'nvidia corporation', 'intel', 'amd', 'logi*'),
      '\\programdata\\lenovo\\**',
      '\\windows\\system32\\driverstore\\**',
    ],
    destinations:
      'dell.com hp.com hpcloud.hp.com lenovo.com lenovo.com.cn nvidia.com nvidiagrid.net intel.com amd.com logitech.com logitech.io logi.com',
  }),
  vendor({
    family: 'remote access and management agents',
    signers: [
      'TeamViewer Germany GmbH',
      'TeamViewer GmbH',
      'AnyDesk Software GmbH',
      'philandro Software GmbH',
      'ConnectWise, LLC',
      'Connectwise, LLC',
      'NinjaOne, LLC',
      'NinjaRMM, LLC',
      'Kaseya US LLC',
      'N-able Technologies, Ltd.',
      'ZOHO Corporation Private Limited',
    ],
    places: pf(
      'teamviewer',
      'anydesk',
      'screenconnect client*',
      'ninjarmmagent',
      '*rmm*',
      'kaseya',
      'n-able technologies',
      'manageengine',
    ),
    destinations:
      'teamviewer.com anydesk.com net.anydesk.com screenconnect.com connectwise.com ninjarmm.com ninjaone.com kaseya.com kaseya.net n-able.com logicnow.com manageengine.com zoho.com zohocorp.com',
  }),
];
