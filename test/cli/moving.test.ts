// Commands that set up, and move certificates in and out: what they call, write and refuse.
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseImportEvent } from '../../lib/requests/import.ts';
import { answering, certrelay, certrelayWith } from './harness.ts';
import { json, startScriptedAws } from './scripted-aws.ts';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('export', () => {
  it('writes files that only their owner reads, below the folder, and never shows a key', async () => {
    const { env, events } = await answering({
      certificates: [
        { name: 'shop', files: { 'tls.key': 'PRIVATE', 'tls.crt': 'chain', '../evil': 'x', '/evil': 'x' } },
        { name: '../blog', files: { 'tls.crt': 'x' }, manifest: 'x' },
        { name: 'blog', manifest: 'kind: Secret', withheld: ['tls.key'] },
      ],
    });
    const around = await makeFolder();
    const folder = join(around, 'files');
    const ended = await certrelayWith(['export', 'shop', 'blog', '--key', '--dir', folder], { env });
    expect(ended.code).toBe(0);
    expect(events).toMatchObject([{ name: 'export', event: { certificates: ['shop', 'blog'], key: true } }]);
    const written = (await readdir(folder, { recursive: true })).toSorted();
    expect(written).toEqual(['blog.yaml', 'shop', 'shop/tls.crt', 'shop/tls.key']);
    expect(await readdir(around)).toEqual(['files']);
    expect(await readFile(join(folder, 'shop/tls.key'), 'utf8')).toBe('PRIVATE');
    expect((await stat(join(folder, 'shop/tls.key'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'shop'))).mode & 0o777).toBe(0o700);
    expect(ended.shown).not.toContain('PRIVATE');
    expect(ended.err).toContain('add --key');
  });

  it('writes over nothing, unless that is meant', async () => {
    const { env } = await answering({ certificates: [{ name: 'shop', files: { 'tls.crt': 'chain' } }] });
    const folder = await makeFolder();
    const args = ['export', 'shop', '--dir', folder, '-o', 'json'];
    const first = await certrelayWith(args, { env });
    expect(JSON.parse(first.out)).toMatchObject({ ok: true, files: [join(folder, 'shop/tls.crt')] });
    const second = await certrelayWith(args, { env });
    expect(second).toMatchObject({ code: 1, out: '', err: expect.stringContaining('--overwrite') });
    const file = ['export', 'shop', '--dir', join(folder, 'shop/tls.crt')];
    const words = 'cannot be written: a part of its path is a file, and no folder\n';
    expect(await certrelayWith(file, { env })).toMatchObject({
      code: 1,
      err: expect.stringContaining(words),
    });
    expect((await certrelayWith([...args, '--overwrite'], { env })).code).toBe(0);
  });

  it('puts a key in place of a file that all may read, and of a link, and not into them', async () => {
    const { env } = await answering({
      certificates: [{ name: 'shop', manifest: 'KEY', files: { 'tls.key': 'KEY' } }],
    });
    const folder = await makeFolder();
    const elsewhere = join(await makeFolder(), 'elsewhere');
    await writeFile(elsewhere, 'other');
    await writeFile(join(folder, 'shop.yaml'), 'old', { mode: 0o644 });
    await mkdir(join(folder, 'shop'));
    await symlink(elsewhere, join(folder, 'shop/tls.key'));
    const args = ['export', 'shop', '--key', '--overwrite', '--dir', folder];
    expect((await certrelayWith(args, { env })).code).toBe(0);
    expect(await readFile(elsewhere, 'utf8')).toBe('other');
    for (const name of ['shop.yaml', 'shop/tls.key']) {
      expect(await readFile(join(folder, name), 'utf8')).toBe('KEY');
      expect((await lstat(join(folder, name))).mode & 0o177777, name).toBe(0o100600);
    }
  });
});

describe('import', () => {
  it.each([
    ['import shop --self-signed', { certificate: 'shop', selfSigned: true }],
    [
      'import --from lab/shop/tls --issuer default --take-over --dry-run',
      {
        from: { cluster: 'lab', namespace: 'shop', secret: 'tls' },
        issuer: 'default',
        takeOver: true,
        dryRun: true,
      },
    ],
    [
      'import --account default --secret certrelay/import/account --replace',
      { account: { issuer: 'default', secret: 'certrelay/import/account', replace: true } },
    ],
  ])('%s', async (line, event) => {
    const { env, events } = await answering({ certificate: 'shop', outcome: 'imported', notes: ['do this'] });
    const ended = await certrelay(line, { env });
    expect(events).toEqual([expect.objectContaining({ name: 'import', event: { ...event, report: true } })]);
    expect(ended.out).toMatch(/^(certificate\/shop|issuer\/) imported\n$/);
    expect(ended.err).toBe('do this\n');
  });

  it('of an account as a dry run asks for one, which the function refuses', async () => {
    const { env, events } = await answering({});
    await certrelay('import --account default --secret certrelay/import/account --dry-run', { env });
    const event = { account: { issuer: 'default', secret: 'certrelay/import/account' }, dryRun: true };
    expect(events).toEqual([expect.objectContaining({ name: 'import', event: { ...event, report: true } })]);
    expect(() => parseImportEvent(event)).toThrow('"dryRun"');
  });

  it('refuses --replace without an account before anything is called', async () => {
    const { env, events } = await answering({});
    const ended = await certrelay('import shop --secret certrelay/import/shop --replace', { env });
    expect(ended).toMatchObject({ code: 2, out: '', err: expect.stringContaining('add --account') });
    expect(events).toEqual([]);
  });

  it('refuses a place that is none', async () => {
    const { env, events } = await answering({});
    expect(await certrelay('import --from lab/shop', { env })).toMatchObject({ code: 2, out: '' });
    expect(events).toEqual([]);
  });
});

describe('revoke', () => {
  it('says what it is to do, and asks for the name', async () => {
    const { env, events } = await answering({ outcome: 'revoked', version: 'v1', serial: '0a' });
    expect((await certrelay('revoke shop', { env })).err).toContain('exactly one of');
    expect((await certrelay('revoke shop --replace', { env })).err).toContain('give --yes');
    expect((await certrelay('revoke shop --replace --reason bored', { env })).code).toBe(2);
    expect(events).toMatchObject([{ name: 'status' }]);
    const line = 'revoke shop --replace --reason keyCompromise --wait none';
    const ended = await certrelay(line, { env, answer: 'shop' });
    expect(ended).toMatchObject({ code: 0, out: 'certificate/shop revoked: version v1, serial 0a\n' });
    const event = { certificate: 'shop', reason: 'keyCompromise', replace: true, wait: 'none', report: true };
    expect(events.slice(2)).toEqual([expect.objectContaining({ name: 'revoke', event })]);
  });

  it('that waits ends with 1, because the old one is still good', async () => {
    const { env } = await answering({ outcome: 'waiting', message: 'not served yet' });
    const ended = await certrelay('revoke shop --drill', { env });
    expect(ended).toMatchObject({ code: 1, out: 'certificate/shop waiting: not served yet\n' });
  });
});

it('notify ends with 1 where a channel does not take it', async () => {
  const channels = [
    { channel: 'slack', result: 'failed', message: 'no_service' },
    { channel: 'teams', result: 'accepted', message: '202' },
  ];
  const { env } = await answering({ ok: false, channels });
  const ended = await certrelay('notify --test', { env });
  expect(ended.code).toBe(1);
  expect(ended.out).toMatch(/slack +failed +no_service\nteams +accepted +202/);
  expect((await certrelay('notify', { env })).code).toBe(2);
});

it('discover lists what was found, and says what was passed over', async () => {
  const { env } = await answering({
    certificates: [{ name: 'web', outcome: 'registered', target: 'lab/web/tls', domains: ['a.example.com'] }],
    passedOver: [{ object: 'Ingress web/b', message: 'no host' }],
    noLongerAsked: ['old'],
  });
  const { out, err } = await certrelay('discover', { env });
  expect(out).toMatch(/web +registered +lab\/web\/tls +a\.example\.com/);
  expect(err).toBe('Ingress web/b: no host\nno object asks any more for old\n');
});

it('rbac prints each mistake of the inventory on a line, to stderr', async () => {
  const file = join(await makeFolder(), 'certificates.yaml');
  const clusters = Array.from({ length: 60 }, (_, index) => `  c${index}: { "un\\x9bknown": true }\n`);
  await writeFile(file, `issuers: {}\nclusters:\n${clusters.join('')}certificates: []\n`);
  const ended = await certrelay(`rbac --inventory ${file}`, { env: {} });
  expect(ended).toMatchObject({ code: 2, out: '' });
  expect(ended.err).toMatch(/mistakes:\n {2}line /);
  expect(ended.err).toContain('clusters.c59');
  expect(ended.err.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});

describe('lint --against-store', () => {
  async function asked(line: (file: string, url: string) => string, isWhole: boolean) {
    const file = join(await makeFolder(), 'certificates.yaml');
    await writeFile(
      file,
      'issuers: { default: { directory: letsencrypt-staging, agreeToTerms: true } }\ncertificates: []\n',
    );
    const actions: string[] = [];
    const aws = await startScriptedAws((action) => {
      actions.push(action);
      return json({ SecretList: [] });
    });
    onTestFinished(() => aws.stop());
    const { AWS_ENDPOINT_URL: url = '', ...rest } = aws.env;
    const env = isWhole ? aws.env : rest;
    return { ended: await certrelay(line(file, url), { env }), actions };
  }

  it('reads the AWS that the environment names', async () => {
    const { ended, actions } = await asked((file) => `lint ${file} --against-store`, true);
    expect(ended.code).toBe(0);
    expect(actions).toContain('ListSecrets');
  });

  it('reads no other account beside an endpoint of Lambda alone', async () => {
    const line = (file: string, url: string) => `lint ${file} --against-store --endpoint-url ${url}`;
    const { ended, actions } = await asked(line, false);
    expect(ended).toMatchObject({
      code: 2,
      err: expect.stringContaining('AWS_ENDPOINT_URL_SECRETS_MANAGER'),
    });
    expect(actions).toEqual([]);
  });
});

it.each([
  'lint',
  'rbac',
  'inventory --for-agent lab',
])('%s of an inventory that cannot be read is told in words, with a code', async (line) => {
  const ended = await certrelay(line, { env: { CERTRELAY_INVENTORY: '/nowhere/certificates.yaml' } });
  expect(ended.code).toBeGreaterThan(0);
  expect(ended).toMatchObject({
    out: '',
    err: expect.stringMatching(/\/nowhere\/certificates\.yaml cannot be read: there is no such file/),
  });
});
