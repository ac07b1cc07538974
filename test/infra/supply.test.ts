// What runs in the build: every package has its hash in the lock file, none brings in anything else, and Node
// is one of them.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { refuseNode } from '../../infra/node/node-version.mjs';

const root = join(import.meta.dirname, '../..');
const words = z.union([z.string(), z.array(z.string())]);
const packages = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      integrity: z.string().optional(),
      resolved: z.string().optional(),
      hasInstallScript: z.boolean().optional(),
      bin: z.record(z.string(), z.string()).optional(),
      engines: z.object({ node: z.string().optional() }).optional(),
      os: words.optional(),
      cpu: words.optional(),
    }),
  ),
});
const manifest = z.object({
  allowScripts: z.record(z.string(), z.boolean()),
  dependencies: z.record(z.string(), z.string()),
  optionalDependencies: z.record(z.string(), z.string()),
  scripts: z.record(z.string(), z.string()),
});

const lock = packages.parse(JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')));
const own = manifest.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
const installed = Object.entries(lock.packages).filter(([path]) => path !== '');

it('every package has a hash in the lock file, which names no registry', () => {
  const bare = installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
  expect(bare.map(([path]) => path)).toEqual([]);
  expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});

it('functions and lib import no package that is there for tests alone, and only one that reads YAML', async () => {
  const files = (
    await Promise.all(['lib', 'functions'].map((folder) => readdir(join(root, folder), { recursive: true })))
  ).flatMap((names, index) => names.map((name) => join(root, ['lib', 'functions'][index] ?? '', name)));
  const texts = await Promise.all(
    files.filter((name) => name.endsWith('.ts')).map((name) => readFile(name, 'utf8')),
  );
  const imported = new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/(?:from|import)\s*\(?\s*'((?:@[\w-]+\/)?[a-z][\w.-]*)(?:\/[^']*)?'/g)].map(
        ([, name = '']) => name,
      ),
    ),
  );
  const known = ['aws-lambda', ...Object.keys(own.dependencies)];
  expect([...imported].filter((name) => name !== 'node' && !known.includes(name))).toEqual([]);
  expect([...imported].filter((name) => name.includes('yaml'))).toEqual(['js-yaml']);
});

it('no package may run a script when it is installed: what such a script fetches has no hash', () => {
  const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript);
  const names = scripted.map(([path]) => path.replace(/^.*node_modules\//, ''));
  expect(own.allowScripts).toEqual(Object.fromEntries(names.map((name) => [name, false])));
});

it('Node is in the lock file for each platform that has a package, of Lambda’s major version', () => {
  const nodes = installed.filter(([, { bin }]) => bin?.node !== undefined);
  const platforms = nodes.map(([, { os, cpu }]) => [os, cpu].flat().join('-'));
  expect(platforms.toSorted()).toEqual(['darwin-x64', 'linux-arm64', 'linux-x64', 'win32-x64']);
  expect(nodes.every(([, { version }]) => version?.startsWith('24.'))).toBe(true);
  expect(nodes.map(([path]) => path.replace('node_modules/', ''))).toEqual(
    Object.keys(own.optionalDependencies),
  );
});

it('npm ci warns of nothing on the Node of the README, which only starts npm: scripts run on the Node of the lock file', () => {
  // Packages that want a newer one have no `engines` in the lock file. `npm install` may write them again:
  // take them out there. Node's own version is refused by infra/node/node-version.mjs where it matters.
  const wanting = installed.filter(([, { engines }]) => !allows(engines?.node ?? '*', [20, 20, 0]));
  expect(wanting.map(([path, { engines }]) => `${path}: ${engines?.node}`)).toEqual([]);
  expect(allows('^22.12.0 || ^24.0.0 || >=26.0.0', [20, 20, 0])).toBe(false);
  expect(allows('>=22.19.0', [20, 20, 0])).toBe(false);
  expect(allows('^20.19.0 || >=22.12.0', [20, 20, 0])).toBe(true);
  expect(allows('>=14 <20', [20, 20, 0])).toBe(false);
});

/** Whether a range of npm's allows a version. */
function allows(range: string, version: readonly number[]): boolean {
  const compare = (other: string) => {
    const parts = other.split('.').map(Number);
    const index = version.findIndex((part, at) => part !== (parts[at] ?? 0));
    return index === -1 ? 0 : (version[index] ?? 0) - (parts[index] ?? 0);
  };
  return range.split('||').some((alternative) =>
    [...alternative.matchAll(/(>=|<=|<|>|\^|~|=|v)? *(\*|[\d.x]+)/g)].every(([, sign = '=', text = '']) => {
      if (/^[*x]/.test(text)) return true;
      const order = compare(text.replaceAll('.x', ''));
      const isSameMajor = Number(text.split('.')[0]) === version[0];
      if (sign === '>=') return order >= 0;
      if (sign === '>') return order > 0;
      if (sign === '<') return order < 0;
      if (sign === '<=') return order <= 0;
      return isSameMajor && order >= 0;
    }),
  );
}

it.each([
  ['20.20.2', false],
  ['22.18.0', false],
  ['22.19.0', true],
  ['23.0.0', true],
  ['24.21.0', true],
  ['100.0.0', true],
])('Node %s can run the scripts: %s', (version, isEnough) => {
  expect(refuseNode(version, 'linux-ppc64') === undefined).toBe(isEnough);
});

it('an old Node is refused when it is installed for and before each of the README’s commands, with what to do', () => {
  expect(refuseNode('20.11.0', 'linux-ppc64')).toMatch(
    /^Node 20\.11\.0 is too old: .*from 22\.19 on[\s\S]*no Node for linux-ppc64[\s\S]*put Node 24/,
  );
  for (const hook of ['postinstall', 'prestart', 'pretest', 'prebuild'])
    expect(own.scripts[hook]).toBe('node infra/node/node-version.mjs');
});

it('the agent’s image stands on a tag of one version of Node, which an argument exchanges for another or for a digest', async () => {
  const lines = (await readFile(join(root, 'infra/agent/Dockerfile'), 'utf8')).split('\n');
  expect(lines.find((line) => line.startsWith('ARG NODE_IMAGE'))).toMatch(
    /^ARG NODE_IMAGE=node:24\.\d+\.\d+-slim$/,
  );
  expect(lines.filter((line) => line.startsWith('FROM')).join()).toMatch(/^FROM \$\{NODE_IMAGE\}$/);
});

it('no command in infra asks for import.meta.main, which Node 22 has not: it would do nothing there, and look well', async () => {
  const folder = join(root, 'infra');
  const sources = (await readdir(folder)).filter((name) => name.endsWith('.ts'));
  const texts = await Promise.all(sources.map((name) => readFile(join(folder, name), 'utf8')));
  expect(sources.filter((_, index) => texts[index]?.includes('if (import.meta.main)'))).toEqual([]);
});
