// What the build makes of a folder of functions: bundles that run by themselves, small, and free of each
// other.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltFunction, buildFunctions } from '../../infra/build/build.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { findBuilt } from '../built.ts';

const root = resolve(import.meta.dirname, '../..');
const inventory =
  'issuers:\n  default: { directory: letsencrypt-staging, agreeToTerms: true }\ncertificates: []\n';

const sources: Readonly<Record<string, string>> = {
  // Uses what it needs only sometimes by a late import, as issue does with the CA.
  'order.ts': `
    import { countGreetings, greet } from './shared.ts';
    export class OrderError extends Error { constructor() { super('x'); this.name = new.target.name; } }
    export async function handler(event: { readonly due: boolean }) {
      if (!event.due) return { text: greet('nobody'), error: new OrderError().name };
      const { createClient } = await import('./parts/authority.ts');
      return { text: greet('the CA'), client: createClient(), greetings: countGreetings() };
    }`,
  'notify.ts': `
    import { Webhook } from 'standardwebhooks';
    export const handler = async () => new Webhook('whsec_' + btoa('x'.repeat(24))).sign('a', new Date(0), '{}');`,
  'shared.ts': `
    let greetings = 0;
    export const countGreetings = () => greetings;
    export function greet(name: string) { greetings += 1; return 'hello ' + name; }`,
  'parts/authority.ts': `
    import HttpClient from 'acme-client/src/http.js';
    import { greet } from '../shared.ts';
    export function createClient() { greet('the client'); return typeof HttpClient; }`,
};

let folder: string;
let built: Readonly<Record<string, BuiltFunction>>;
const build = () =>
  buildFunctions({
    sourceFolder: join(folder, 'functions'),
    outFolder: join(folder, 'dist'),
    inventoryFile: join(folder, 'certificates.yaml'),
  });

beforeAll(async () => {
  // Below the checkout, for that is where packages are found.
  await mkdir(join(root, 'dist'), { recursive: true });
  folder = await mkdtemp(join(root, 'dist', '.build-test-'));
  await mkdir(join(folder, 'functions', 'parts'), { recursive: true });
  for (const [name, source] of Object.entries(sources)) {
    await writeFile(join(folder, 'functions', name), source.replace(/^ +/gm, ''));
  }
  await writeFile(join(folder, 'certificates.yaml'), inventory);
  built = Object.fromEntries((await build()).map((fn) => [fn.name, fn]));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Calls a bundle's handler in a process of its own, and tells which of its files were read for it. */
async function invoke(name: string, event: object): Promise<unknown> {
  const script = `
    const { handler } = await import(process.argv[1]);
    console.log(JSON.stringify(await handler(JSON.parse(process.argv[2]))));`;
  const index = join(folder, 'dist', name, 'index.js');
  const args = ['--input-type=module', '--eval', script, index, JSON.stringify(event)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

describe('the build', () => {
  it('makes one bundle of each file that exports a handler, and of no other', () => {
    expect(Object.keys(built)).toEqual(['notify', 'order']);
  });

  it('puts no source of one function into another one’s bundle', () => {
    const has = (name: string, part: string) => built[name]?.sources.some((source) => source.includes(part));
    expect(has('order', 'functions/notify.ts')).toBe(false);
    expect(has('order', 'standardwebhooks')).toBe(false);
    expect(has('notify', 'functions/order.ts')).toBe(false);
    expect(has('notify', 'acme-client')).toBe(false);
  });

  it('keeps what is imported late out of the file that is loaded at start, and axios out of all', async () => {
    const index = await readFile(join(folder, 'dist/order/index.js'), 'utf8');
    expect(built.order?.laterBytes).toBeGreaterThan(built.order?.startBytes ?? 0);
    expect(built.notify?.laterBytes).toBe(0);
    expect(index).not.toContain('signedRequest');
    expect(built.order?.sources.filter((source) => source.includes('node_modules/axios/'))).toEqual([]);
    expect(built.order?.sources.some((source) => source.includes('acme-client/src/http.js'))).toBe(true);
  });

  it('makes bundles that run alone, with CommonJS dependencies and the names of errors', async () => {
    expect(await invoke('order', { due: false })).toEqual({ text: 'hello nobody', error: 'OrderError' });
    expect(await invoke('order', { due: true })).toMatchObject({ text: 'hello the CA', client: 'function' });
    expect(await invoke('notify', {})).toMatch(/^v1,/);
  });

  it('has one script for all that is read at start, and each module once: what is read later takes it from there', async () => {
    const index = await readFile(join(folder, 'dist/order/index.js'), 'utf8');
    expect(index).not.toMatch(/from ?["']\.\//);
    expect(await invoke('order', { due: true })).toMatchObject({ greetings: 2 });
  });

  it('packages the parsed inventory beside the bundle, with a package.json that makes it an ES module', async () => {
    const read = (name: string) => readFile(join(folder, 'dist/order', name), 'utf8');
    expect({ inventory: JSON.parse(await read('certificates.json')) }).toEqual(parseInventory(inventory));
    expect(JSON.parse(await read('package.json'))).toEqual({ type: 'module' });
  });

  it('done again leaves what is the same untouched and removes what is stale', async () => {
    const stale = join(folder, 'dist/order/chunk-of-yesterday.js');
    await writeFile(stale, '');
    const index = join(folder, 'dist/order/index.js');
    const before = await stat(index);
    await build();
    expect((await stat(index)).ino).toBe(before.ino);
    expect(await readdir(join(folder, 'dist/order'))).not.toContain('chunk-of-yesterday.js');
    expect(await readdir(join(folder, 'dist'))).toEqual(['notify', 'order']);
  });

  it('D09 refuses an inventory with each of its mistakes before it is deployed, and leaves the last bundles', async () => {
    await writeFile(
      join(folder, 'certificates.yaml'),
      'issuers:\n  default: { directory: letsencrypt-staging }\ncertificates:\n  - { name: Shop, domains: [shop.example.com] }\n',
    );
    await expect(build()).rejects.toThrow(
      /issuers\.default[\s\S]*agreeToTerms[\s\S]*certificates\W*0\W*name/,
    );
    expect(await invoke('order', { due: false })).toMatchObject({ text: 'hello nobody' });
  });
});

it('each function of the project holds the rooms it needs and none of another function’s', async () => {
  const functions = await readBuilt();
  const rooms = functions.map(({ name, sources }) => {
    const found = sources.flatMap(
      (source) => /^(?:lib\/adapters|lib|functions)\/([\w-]+)(?:\/|\.ts$)/.exec(source)?.[1] ?? [],
    );
    return [name, new Set(found)] as const;
  });
  const ordering = ['issue', 'acme', 'route53'];
  const clusters = ['deploy', 'eks', 'kubernetes'];
  const registering = ['register', 'webhook', 'sqs'];
  const foreign: Readonly<Record<string, readonly string[]>> = {
    agent: ['acm', ...ordering, ...registering, 'import', 'export', 'revoke'],
    status: ['acm', ...ordering, 'dns', ...clusters, 'register', 'webhook', 'tls'],
    dashboard: ['acm', ...ordering, 'dns', ...clusters, ...registering, 'tls'],
    issue: ['acm', ...clusters, 'register', 'webhook'],
    deploy: [...ordering, 'register', 'webhook'],
    register: ['acm', ...ordering, 'dns', ...clusters],
    discover: ['acm', ...ordering, 'dns', 'deploy', 'webhook', 'import', 'export', 'tls'],
    import: ['acm', 'issue', 'route53', 'dns', 'deploy', 'discover', ...registering],
    export: ['acm', ...ordering, 'dns', ...clusters, ...registering],
    revoke: ['acm', ...clusters, ...registering, 'import', 'export', 'pause'],
    pause: ['acm', ...ordering, 'dns', ...clusters, ...registering, 'tls'],
    retire: ['acm', ...ordering, 'dns', ...clusters, 'register', 'webhook', 'tls'],
    probe: ['acm', ...ordering, ...clusters, ...registering, 'import'],
    notify: ['acm', ...ordering, 'dns', ...clusters, 'register', 'webhook', 'import', 'export', 'tls'],
  };
  expect(functions.map(({ name }) => name)).toEqual(Object.keys(foreign).toSorted(byText));
  const putsEvents = rooms.filter(([, has]) => has.has('eventbridge')).map(([name]) => name);
  expect(putsEvents).toEqual(['deploy', 'discover', 'issue', 'register', 'revoke', 'status']);
  for (const [name, has] of rooms) {
    expect(has).toContain(name);
    expect(foreign[name]?.filter((room) => has.has(room))).toEqual([]);
  }
}, 60_000);

it('issue reads nothing that validates before there is something to validate', async () => {
  const functions = await readBuilt();
  const issue = functions.find(({ name }) => name === 'issue');
  expect(issue?.sources.some((source) => source.includes('node_modules/zod/'))).toBe(true);
  expect(issue?.startSources.filter((source) => source.includes('node_modules/zod/'))).toEqual([]);
});

/** What the run's build says of the project's functions. */
async function readBuilt(): Promise<readonly BuiltFunction[]> {
  const bundles = await findBuilt('bundles');
  return JSON.parse(await readFile(join(bundles ?? '', 'functions.json'), 'utf8'));
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
