// `serverless invoke local` builds when something changed, and only then.
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildIfChanged } from '../../infra/build/fresh-build.ts';

const root = resolve(import.meta.dirname, '../..');
const inventory =
  'issuers:\n  default: { directory: letsencrypt-staging, agreeToTerms: true }\ncertificates: []\n';
const anHourAgo = new Date(Date.now() - 3_600_000);

let service: string;
const build = () => buildIfChanged(service, join(service, 'dist'));
/** Writes a file of the service as if it had been saved an hour ago. */
async function save(path: string, text: string): Promise<void> {
  await writeFile(join(service, path), text);
  await utimes(join(service, path), anHourAgo, anHourAgo);
}

beforeAll(async () => {
  // Below the checkout, for that is where packages are found.
  await mkdir(join(root, 'dist'), { recursive: true });
  service = await mkdtemp(join(root, 'dist', '.fresh-test-'));
  await mkdir(join(service, 'functions', 'parts'), { recursive: true });
  await mkdir(join(service, 'infra'));
  await save('infra/certificates.yaml', inventory);
  await save('package-lock.json', '{}');
  await save(
    'functions/greet.ts',
    "import { Webhook } from 'standardwebhooks';\nimport { name } from './parts/name.ts';\nexport const handler = async () => [name, Webhook.name];\n",
  );
  await save('functions/parts/name.ts', "export const name = 'first';\n");
});
afterAll(() => rm(service, { recursive: true, force: true }));

/** What is in `dist`, with the time of each file's last change. */
async function readOutput(): Promise<readonly string[]> {
  const names = await readdir(join(service, 'dist'), { recursive: true });
  return Promise.all(
    names.toSorted().map(async (name) => `${name} ${(await stat(join(service, 'dist', name))).mtimeMs}`),
  );
}

it('builds once, and writes nothing while nothing changes', async () => {
  expect(await build()).toBe(true);
  const before = await readOutput();
  expect(before).toContainEqual(expect.stringContaining('greet/index.js'));
  expect(await build()).toBe(false);
  expect(await build()).toBe(false);
  expect(await readOutput()).toEqual(before);
});

it('builds for another inventory than last time, and not again for the same', async () => {
  await save('other.yaml', inventory);
  const other = { file: join(service, 'other.yaml'), isReadAtRunTime: false };
  const buildOther = () => buildIfChanged(service, join(service, 'dist'), other);
  expect(await buildOther()).toBe(true);
  expect(await buildOther()).toBe(false);
  expect(await build()).toBe(true);
});

it.each<readonly [string, () => Promise<void>]>([
  ['a part of a function', () => save('functions/parts/name.ts', "export const name = 'second';\n")],
  ['the inventory', () => save('infra/certificates.yaml', `${inventory}# changed\n`)],
  ['the packages', () => save('package-lock.json', '{"changed": true}')],
  ['the compiler’s settings', () => save('tsconfig.json', '{}')],
  ['which functions there are', () => save('functions/more.ts', 'export const handler = async () => 1;\n')],
  ['a bundle that somebody edited', () => save('dist/greet/index.js', 'edited')],
  ['a bundle that somebody deleted', () => rm(join(service, 'dist', 'greet'), { recursive: true })],
  ['a file too many in a bundle', () => save('dist/greet/stray.js', '')],
  ['a record of the last build that cannot be read', () => save('dist/build.json', '{"inputs": 1')],
  ['no record of a last build', () => rm(join(service, 'dist', 'build.json'))],
])('builds again after a change: %s', async (_what, change) => {
  await build();
  expect(await build()).toBe(false);
  await change();
  expect(await build()).toBe(true);
  expect(await build()).toBe(false);
  const { handler } = await import(`${join(service, 'dist/greet/index.js')}?${Math.random()}`);
  expect(await handler()).toEqual([expect.stringMatching(/first|second/), 'Webhook']);
});

it('builds nothing for an inventory that functions read at run time, and all where they read the bundle’s', async () => {
  const file = join(service, 'own.yaml');
  const own = () => buildIfChanged(service, join(service, 'dist'), { file, isReadAtRunTime: true });
  await save('own.yaml', inventory);
  await build();
  expect(await own()).toBe(false);
  await rm(join(service, 'dist'), { recursive: true });
  expect(await own()).toBe(true);
  await save('own.yaml', `${inventory}# changed\n`);
  expect(await own()).toBe(false);
  expect(await build()).toBe(true);
  expect(await own()).toBe(false);
});

it('says what does not compile each time, and takes nothing of it for built', async () => {
  const path = 'functions/parts/name.ts';
  const text = await readFile(join(service, path), 'utf8');
  await save(path, 'export const name = ;\n');
  await expect(build()).rejects.toThrow('Unexpected ";"');
  await expect(build()).rejects.toThrow('Unexpected ";"');
  await save(path, text);
  expect(await build()).toBe(false);
});

it('builds again if a source was saved while it built', async () => {
  const later = new Date(Date.now() + 60_000);
  await save('functions/parts/name.ts', "export const name = 'first';\n");
  await utimes(join(service, 'functions/parts/name.ts'), later, later);
  expect(await build()).toBe(true);
  expect(await build()).toBe(true);
});
