import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { destinationEntity } from '../../enrich/evidence/destination.ts';
import { canonicalAddress, hostName } from '../../enrich/evidence/host-name.ts';
import { TENANT_ROWS } from '../../enrich/evidence/tenant-table.ts';
import { vendorAffinity } from '../../enrich/evidence/vendor-affinity.ts';
import { VENDOR_FAMILIES } from '../../enrich/evidence/vendor-table.ts';
import { process } from './endpoint-builder.ts';

const IP = '203.0.113.9';
const to = (domain: string) => destinationEntity({ domain, ip: IP });

describe('destinationEntity', () => {
  it.each([
    ['bucket.s3.eu-west-1.amazonaws.com', 'tenant:bucket.s3.amazonaws.com', 'amazon-s3', 'cloud-storage'],
    ['bucket.s3.amazonaws.com', 'tenant:bucket.s3.amazonaws.com', 'amazon-s3', 'cloud-storage'],
    [
      'my.dotted.bucket.s3.dualstack.us-east-1.amazonaws.com',
      'tenant:my.dotted.bucket.s3.amazonaws.com',
      'amazon-s3',
      'cloud-storage',
    ],
    ['acct.blob.core.windows.net', 'tenant:acct.core.windows.net', 'azure-storage', 'cloud-storage'],
    ['acct.dfs.core.windows.net', 'tenant:acct.core.windows.net', 'azure-storage', 'cloud-storage'],
    ['contoso.sharepoint.com', 'tenant:contoso.sharepoint.com', 'microsoft-sharepoint', 'cloud-storage'],
    ['contoso-my.sharepoint.com', 'tenant:contoso.sharepoint.com', 'microsoft-sharepoint', 'cloud-storage'],
    ['acme.my.salesforce.com', 'tenant:acme.my.salesforce.com', 'salesforce', undefined],
    ['acme.app.box.com', 'tenant:acme.box.com', 'box', 'cloud-storage'],
    ['xy12345.eu-west-1.snowflakecomputing.com', 'tenant:xy12345.snowflakecomputing.com', 'snowflake', undefined],
    ['0123abcd.r2.cloudflarestorage.com', 'tenant:0123abcd.r2.cloudflarestorage.com', 'cloudflare-r2', 'cloud-storage'],
    ['b.s3.eu-central-1.wasabisys.com', 'tenant:b.s3.wasabisys.com', 'wasabi', 'cloud-storage'],
    ['b.s3.us-west-000.backblazeb2.com', 'tenant:b.s3.backblazeb2.com', 'backblaze-b2', 'cloud-storage'],
    ['b.storage.googleapis.com', 'tenant:b.storage.googleapis.com', 'google-cloud-storage', 'cloud-storage'],
    ['drop.someone.workers.dev', 'tenant:someone.workers.dev', 'workers.dev', 'serverless'],
    ['quick-fox.trycloudflare.com', 'tenant:quick-fox.trycloudflare.com', 'trycloudflare.com', 'tunnel'],
    ['abc-8080.euw.devtunnels.ms', 'tenant:abc-8080.devtunnels.ms', 'microsoft-dev-tunnels', 'tunnel'],
    ['d111111abcdef8.cloudfront.net', 'tenant:d111111abcdef8.cloudfront.net', 'cloudfront.net', undefined],
    ['acme.slack.com', 'tenant:acme.slack.com', 'slack', 'messaging'],
  ])('%s is %s', (domain, entity, provider, category) => {
    const found = to(domain);
    expect(found).toMatchObject({ entity, provider, tenantState: 'known', ladder: { name: entity } });
    expect(found.category).toBe(category);
  });

  it.each([
    ['s3.eu-west-1.amazonaws.com', 'domain:s3.eu-west-1.amazonaws.com', 'amazon-s3'],
    ['storage.googleapis.com', 'domain:storage.googleapis.com', 'google-cloud-storage'],
    ['content.dropboxapi.com', 'domain:dropboxapi.com', 'dropbox'],
    ['api.telegram.org', 'domain:telegram.org', 'telegram'],
    ['discord.com', 'domain:discord.com', 'discord'],
    ['gfs270n001.userstorage.mega.co.nz', 'domain:mega.co.nz', 'mega'],
    ['f000.backblazeb2.com', 'domain:backblazeb2.com', 'backblaze-b2'],
    ['www.googleapis.com', 'domain:googleapis.com', 'google-apis'],
    ['raw.githubusercontent.com', 'domain:githubusercontent.com', 'github'],
    ['files.slack.com', 'domain:slack.com', 'slack'],
    ['file.io', 'domain:file.io', 'one-time file sharing'],
  ])('%s hides its customers', (domain, entity, provider) => {
    expect(to(domain)).toMatchObject({ entity, provider, tenantState: 'hidden' });
  });

  it('folds servers that change, keeps the registrable domain as it is', () => {
    expect(to('r3---sn-5hne6nzs.googlevideo.com').collapsed).toBe('#.googlevideo.com');
    expect(to('deadbeef01.0123abcd.example.com').collapsed).toBe('#.example.com');
    expect(to('cdn12.eu3.example4.com')).toMatchObject({
      collapsed: 'cdn#.eu#.example4.com',
      registrable: 'example4.com',
      entity: 'domain:example4.com',
    });
    expect(to('e1.a.akamaiedge.net')).toMatchObject({
      tenantState: 'not-multi-tenant',
      collapsed: 'e#.a.akamaiedge.net',
    });
    expect(to('www.example.co.uk')).toMatchObject({
      registrable: 'example.co.uk',
      ladder: { name: 'name:www.example.co.uk', registrable: 'domain:example.co.uk' },
    });
  });

  it('gives one name to all spellings of a host', () => {
    for (const name of ['WWW.Example.COM', 'www.example.com.', ' www.example.com '])
      expect(to(name).fqdn).toBe('www.example.com');
    expect(to('bücher.example')).toMatchObject({ fqdn: 'xn--bcher-kva.example', flags: ['punycode'] });
    expect(to('printer')).toMatchObject({ entity: 'domain:printer', flags: ['single-label'] });
  });

  it('falls back to the address, and says when the name was no name', () => {
    expect(destinationEntity({ ip: IP })).toMatchObject({ entity: `ip:${IP}`, flags: [] });
    expect(to('198.51.100.1')).toMatchObject({ entity: 'ip:198.51.100.1', flags: ['ip-literal'] });
    expect(to('[2001:DB8::0:1]')).toMatchObject({ entity: 'ip:2001:db8::1' });
    for (const odd of [
      'foo bar',
      'a..b',
      '-a.com',
      'x'.repeat(64),
      `${'a.'.repeat(200)}com`,
      'a\u0000b.com',
      'evil.com/x',
      '😀'.repeat(80),
    ]) {
      expect(to(odd)).toMatchObject({ entity: `ip:${IP}`, flags: ['not-a-hostname'] });
    }
  });

  it('catches a tenant at the left of every row that names one', () => {
    for (const row of TENANT_ROWS) {
      const host = row.pattern.replace('{t+}', 'acme').replace('{t}', 'acme').replaceAll('*', 'x1');
      const found = to(host);
      if (row.tenant === undefined) expect([host, found.tenantState]).toEqual([host, 'hidden']);
      else expect([host, found.tenantState, found.entity.includes('acme')]).toEqual([host, 'known', true]);
    }
  });

  it('never throws, and gives bounded text', () => {
    const hostile = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.domain(),
      fc.ipV6(),
      fc
        .array(fc.constantFrom('.', 'a', 's3', 'amazonaws.com', 'xn--', '-', '_', '%', '[', ':', '\u202e'), {
          maxLength: 40,
        })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, hostile, (domain, ip) => {
        const found = destinationEntity({ domain, ip });
        expect(found.entity).toMatch(/^(tenant|domain|ip):[^\s]+$/);
        expect(found.entity.length).toBeLessThan(300);
      }),
      { numRuns: 2_000 },
    );
  });
  it('does not mind the case of a name', () => {
    fc.assert(
      fc.property(fc.domain(), (domain) => {
        expect(to(domain.toUpperCase())).toEqual(to(domain.toLowerCase()));
      }),
    );
  });
});

describe('host names', () => {
  it('folds addresses to one text', () => {
    expect(canonicalAddress('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(canonicalAddress('fe80:0:0:0:0:0:0:1%eth0')).toBe('fe80::1');
    expect(canonicalAddress('300.1.1.1')).toBeUndefined();
    expect(hostName(undefined)).toEqual({ kind: 'none', flags: [] });
  });
});

describe('vendorAffinity', () => {
  const microsoft = { signer: 'Microsoft Windows', signatureStatus: 'valid' as const };
  const svchost = 'C:\\Windows\\System32\\svchost.exe';
  const tie = (image: string, domain: string, fields: Parameters<typeof process>[0] = {}) =>
    vendorAffinity(process({ image, ...fields }), to(domain));
  it('ties a program to its maker’s cloud by signer, and more weakly by folder', () => {
    expect(tie(svchost, 'fe3.delivery.mp.microsoft.com', microsoft)).toMatchObject({ kind: 'signer', db: -15 });
    expect(tie(svchost, 'fe3.delivery.mp.microsoft.com')).toMatchObject({ kind: 'path', db: -8 });
    expect(
      tie('C:\\Users\\a\\AppData\\Local\\Microsoft\\OneDrive\\OneDrive.exe', 'contoso-my.sharepoint.com', {
        signer: 'Microsoft Corporation',
        signatureStatus: 'valid',
      }),
    ).toMatchObject({ family: 'OneDrive' });
  });
  it.each<[string, string, string, Parameters<typeof process>[0]]>([
    ['a stranger’s bucket', svchost, 'loot.blob.core.windows.net', microsoft],
    [
      'a stranger’s account at the maker',
      'C:\\Program Files\\Microsoft VS Code\\Code.exe',
      'loot.visualstudio.com',
      { signer: 'Microsoft Corporation', signatureStatus: 'valid' },
    ],
    [
      'a tool that does what others tell it',
      'C:\\Windows\\System32\\certutil.exe',
      'download.microsoft.com',
      microsoft,
    ],
    ['the name in another folder', 'C:\\Users\\Public\\svchost.exe', 'fe3.delivery.mp.microsoft.com', {}],
    [
      'a per-user program whose signer is not known',
      'C:\\Users\\a\\AppData\\Local\\Microsoft\\OneDrive\\OneDrive.exe',
      'onedrive.live.com',
      {},
    ],
    [
      'somebody else’s signature',
      svchost,
      'fe3.delivery.mp.microsoft.com',
      { signer: 'Evil', signatureStatus: 'valid' },
    ],
    [
      'a signature that does not hold',
      svchost,
      'fe3.delivery.mp.microsoft.com',
      { signer: 'Microsoft Windows', signatureStatus: 'invalid' },
    ],
    [
      'a renamed program',
      'C:\\Program Files\\Dropbox\\Client\\Dropbox.exe',
      'api.dropboxapi.com',
      { originalName: 'rclone.exe', signer: 'Dropbox, Inc', signatureStatus: 'valid' },
    ],
    ['another vendor’s cloud', svchost, 'content.dropboxapi.com', microsoft],
    ['a name that only ends alike', svchost, 'notwindowsupdate.com', microsoft],
  ])('does not excuse %s', (_, image, domain, fields) => {
    expect(tie(image, domain, fields)).toBeUndefined();
  });
  it('knows certificate status by its hosts, for a few bytes from anyone', () => {
    expect(tie('C:\\t\\x.exe', 'ocsp.digicert.com')).toMatchObject({
      kind: 'certificate-status',
      maximumBytes: 20_000,
    });
    expect(tie('C:\\t\\x.exe', 'evil-ocsp.digicert.com.example.net')).toBeUndefined();
  });
  it('has no row that would excuse every program of a signer everywhere', () => {
    for (const family of VENDOR_FAMILIES) {
      expect(family.places.length, family.family).toBeGreaterThan(0);
      expect(family.signers.length, family.family).toBeGreaterThan(0);
      expect(
        family.destinations.every((end) => end.includes('.')),
        family.family,
      ).toBe(true);
    }
  });
});
