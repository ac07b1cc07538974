// `npm run lint:inventory`: mistakes of the file, and what of an installation the file would not allow any
// more.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lintInventory } from '../../infra/inventory/lint-inventory.ts';
import type { LintedStore } from '../../infra/inventory/lint-store.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import type { InstallationRecord } from '../../lib/ports/installation.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { FakeStore } from '../fakes/store.ts';
import { targetOf } from '../minting/targets.ts';

const head = `
issuers: { default: { agreeToTerms: true } }
clusters: { lab: { kubeconfig: { secret: "{prefix}/clusters/lab" } } }
`;
const registration = `registration: { zones: [customers.example.com], targets: [{ cluster: lab, namespace: edge }] }`;
const edge = targetOf({ namespace: 'edge', secret: 'a-tls' });

function spec(name: string, domain: string, more: Partial<StoredSpec> = {}): StoredSpec {
  const about = { name, domains: [domain], issuer: 'default', key: 'ecdsa-p256', targets: [edge] } as const;
  return { ...about, source: 'registration', ...more };
}

/** Runs the command over a file and a store. */
async function lint(
  yaml: string,
  args: readonly string[] = [],
  store = new FakeStore(),
  record?: InstallationRecord | Error,
) {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-lint-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'certificates.yaml');
  await writeFile(file, yaml);
  const [said, noted, opened]: string[][] = [[], [], []];
  const connect = (prefix: string): LintedStore => {
    opened?.push(prefix);
    const read = async () => {
      if (record instanceof Error) throw record;
      return record;
    };
    return { certificates: store, installation: { read }, close: () => {} };
  };
  const code = await lintInventory(['--inventory', file, ...args], {
    connect,
    say: (line) => said?.push(line),
    note: (line) => noted?.push(line),
    env: { CERTRELAY_PREFIX: 'of-the-environment' },
    now: () => new Date('2026-11-22T10:00:00Z'),
  });
  return { code, said: said?.join('\n') ?? '', noted: noted?.join('\n') ?? '', opened };
}

async function fill(...specs: readonly StoredSpec[]): Promise<FakeStore> {
  const store = new FakeStore();
  for (const one of specs) await store.create(one.name, one);
  return store;
}

describe('lint:inventory', () => {
  it('says every mistake of the file with its line, without looking at AWS', async () => {
    const wrong = `${head}${registration}\ncertificates:\n  - { name: UPPER, domains: [a_b] }\n`;
    const { code, said, opened } = await lint(wrong);
    expect([code, opened]).toEqual([1, []]);
    expect(said).toMatch(
      /has 2 mistakes:\n {2}line 6, certificates\[0\]\.name.*\n {2}line 6, certificates\[0\]\.domains/,
    );
    expect(await lint(`${head}${registration}`)).toMatchObject({ code: 0, opened: [] });
  });

  it('keeps keys and values of whoever proposes a change on the line of their mistake', async () => {
    const bad = String.raw`"x\n::error::y\e[2J\u202e\u2028"`;
    const wrong = `issuers: { ${bad}: {} }\nclusters: { ${bad}: {} }\n${bad}: ${bad}
certificates: [{ name: shop, domains: [${bad}], ${bad}: 1, targets: [{ cluster: lab, namespace: a, secret: b }] }]`;
    const { said } = await lint(wrong);
    expect(said).toMatch(/use one of x ::error::y/);
    expect(said.split('\n').slice(1).join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(said).not.toMatch(/^::/m);
  });

  it('loads no client of AWS for the file alone: editors and hooks call it often', async () => {
    const hooks = `import { registerHooks } from 'node:module';
      registerHooks({ load: (url, context, next) => (console.error(url), next(url, context)) });`;
    const root = join(import.meta.dirname, '../..');
    const load = `data:text/javascript,${encodeURIComponent(hooks)}`;
    const args = ['--import', load, 'infra/inventory/lint-inventory.ts', '--help'];
    const { stderr } = await promisify(execFile)(process.execPath, args, { cwd: root });
    expect(stderr).toContain('lib/inventory/schema.ts');
    expect(stderr.split('\n').filter((url) => /node_modules\/@(aws-sdk|smithy)/.test(url))).toEqual([]);
  });

  it('names each stored certificate that is not allowed, with the lines, once each at the end', async () => {
    const store = await fill(
      spec('good', 'a.customers.example.com'),
      spec('outside', 'a.example.org'),
      spec('second', 'a.example.org', { targets: [{ ...edge, namespace: 'kube-system' }] }),
      spec('by-hand', 'a.test', { source: 'import' }),
    );
    const { code, said } = await lint(
      `${head}${registration}`,
      ['--against-store', '--prefix', 'mine'],
      store,
    );
    expect(code).toBe(1);
    expect(said).not.toMatch(/^(good|by-hand)/m);
    expect(said).toContain(
      'outside (registration, a.example.org)\n  a.example.org is not in the allowed zones: customers.example.com',
    );
    const end = said.slice(said.indexOf('To allow all of them'));
    expect(end.match(/add to registration\.zones: {3}- a\.example\.org/g)).toHaveLength(1);
    expect(end).toContain('add to registration.targets:   - { cluster: lab, namespace: kube-system }');
    expect(end).toContain('4 registered certificates under mine/: 2 not allowed');
    expect(store.calls.filter((call) => !/^(list|read) /.test(call))).toEqual(
      store.calls.filter((call) => call.startsWith('create ')),
    );
  });

  it('is content where all fits, and takes the prefix of the environment', async () => {
    const store = await fill(spec('good', 'a.customers.example.com'));
    const { code, opened } = await lint(`${head}${registration}`, ['--against-store'], store);
    expect([code, opened]).toEqual([0, ['of-the-environment']]);
  });

  const noted: InstallationRecord = {
    firstRun: new Date('2026-11-01T00:00:00Z'),
    isUpgraded: true,
    lastPass: new Date('2026-11-22T00:00:00Z'),
  };
  it.each<[string, InstallationRecord | undefined, string | undefined, string]>([
    ['before an upgrade', undefined, undefined, 'the first full pass of the new version notes it'],
    [
      'once it is noted',
      noted,
      '2027-01-30T00:00:00Z',
      'renewed and delivered until 2027-01-30T00:00:00.000Z',
    ],
    ['after its grace', noted, '2026-11-20T00:00:00Z', 'neither renewed nor delivered since 2026-11-20'],
    ['where it stopped fitting later', noted, undefined, 'neither renewed nor delivered any more'],
  ])('says what becomes of it: %s', async (_, record, until, words) => {
    const store = await fill(spec('outside', 'a.example.org'));
    if (until) await store.record('outside', { graceUntil: new Date(until) });
    const { said } = await lint(`${head}${registration}`, ['--against-store'], store, record);
    expect(said).toContain(words);
  });

  it('ends with 2 where something could not be read, and says what to do', async () => {
    const store = await fill(spec('good', 'a.customers.example.com'));
    store.failures.next('read', new StoreError('Denied', 'AWS denied secretsmanager:GetSecretValue'));
    const one = await lint(`${head}${registration}`, ['--against-store'], store);
    expect([one.code, one.noted]).toEqual([2, expect.stringContaining('good was not looked at: AWS denied')]);
    store.failures.next('list', new StoreError('Denied', 'AWS denied secretsmanager:ListSecrets'));
    const all = await lint(`${head}${registration}`, ['--against-store'], store);
    expect([all.code, all.noted]).toEqual([2, expect.stringContaining('Allow whoever calls this')]);
  });

  it('names the line of a mistake in YAML once, and that others may be behind it', async () => {
    const { said } = await lint('issuers: {}\nissuers: {}\n', []);
    expect(said).toMatch(/\n {2}line 2, column 1: is not YAML: .*; mend this first/);
  });

  it.each([
    [['--foo'], 2, "Unknown option '--foo'"],
    [
      ['--inventory', '/nowhere.yaml'],
      2,
      'the inventory /nowhere.yaml cannot be read: there is no such file; give the path of yours',
    ],
    [['--inventory', '/'], 2, 'the inventory / cannot be read: it is a folder; give the path of a file'],
  ])('called with %j ends with %i', async (args, expected, words) => {
    const { code, noted } = await lint(head, args);
    expect([code, noted]).toEqual([expected, expect.stringContaining(words)]);
  });
});
