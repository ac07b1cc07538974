// Each command and each sample of the pages works, or the table says why that cannot be tried.
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { parseDashboardEvent } from '../../lib/requests/dashboard.ts';
import { readCallEvent } from '../../lib/requests/event.ts';
import { parseImportEvent } from '../../lib/requests/import.ts';
import { parseNotifyEvent } from '../../lib/requests/notify.ts';
import {
  parseDeployEvent,
  parseDiscoverEvent,
  parseExportEvent,
  parseIssueEvent,
  parsePauseEvent,
  parseProbeEvent,
  parseRevokeEvent,
} from '../../lib/requests/requests.ts';
import { parseRetireEvent } from '../../lib/requests/retire.ts';
import { parseStatusEvent } from '../../lib/requests/status.ts';
import { functionNames } from '../function-names.ts';
import { readAgreedInventory } from '../infra/packaged.ts';
import { startAlone } from '../sandbox/alone.ts';
import { listCommands } from '../sandbox/commands.ts';
import { type Shown, samples, shownBy } from './commands.ts';
import { findCommands, readPages, top } from './markdown.ts';

/** The changelog tells of what was, and behaviours of what others did. */
const pages = readPages().filter(({ path }) => !/changelog|behaviours/.test(path));
const commands = [...new Set(pages.flatMap(findCommands))];
const invocation =
  /^npx serverless invoke (?:local )?(?:-f|--function) (\S+)(?: --data '([^']+)')?(?: \| .*)?$/;
const invocations = commands.flatMap((command) => invocation.exec(command) ?? []).length;

const parsers: Readonly<Record<string, (event: unknown) => unknown>> = {
  issue: parseIssueEvent,
  deploy: (event) => parseDeployEvent(event, 'certrelay'),
  discover: parseDiscoverEvent,
  import: parseImportEvent,
  export: parseExportEvent,
  revoke: parseRevokeEvent,
  pause: parsePauseEvent,
  retire: parseRetireEvent,
  probe: parseProbeEvent,
  status: parseStatusEvent,
  notify: parseNotifyEvent,
  dashboard: parseDashboardEvent,
};

function isStillTrue(shown: Shown): boolean {
  if ('why' in shown) return shown.why.length > 0;
  return existsSync(join(top, shown.test)) && readFileSync(join(top, shown.test), 'utf8').includes(shown.by);
}

/** Runs a script of the repository as npm does. */
const run = (script: string, env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
  promisify(execFile)(process.execPath, [script, ...args], { cwd: top, env: { ...process.env, ...env } });

describe('the commands of the pages', () => {
  it('are each run by a test, or the table says why not', () => {
    const others = commands.filter((command) => !command.includes('serverless invoke'));
    expect(others.filter((command) => !shownBy.some(([begin]) => command.startsWith(begin)))).toEqual([]);
    expect(shownBy.filter(([begin]) => !others.some((command) => command.startsWith(begin)))).toEqual([]);
    expect(shownBy.filter(([, shown]) => !isStillTrue(shown))).toEqual([]);
  });

  it('write keys, tokens and secret URLs only into files that git ignores', () => {
    const writes = /(?:--secret-string file:\/\/|--kubeconfig |--dir |-out |\.pem > )(?!\/dev\/)(\w[\w.-]*)/g;
    const written = commands.flatMap((command) =>
      [...command.matchAll(writes)].map(([, name = '']) => (command.includes('--dir ') ? `${name}/` : name)),
    );
    expect(written).toEqual(
      expect.arrayContaining(['lab.kubeconfig', 'slack.url', 'pair.pem', 'new.pem', 'exported/']),
    );
    const { stdout } = spawnSync('git', ['check-ignore', ...written], { cwd: top, encoding: 'utf8' });
    const ignored = stdout.split('\n');
    expect(written.filter((name) => !ignored.includes(name))).toEqual([]);
  });

  it('name scripts that npm has', () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')));
    const named = commands.flatMap((command) =>
      [...command.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)].map(([, name = '']) => name),
    );
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it('invoke functions that there are, with events that they take', () => {
    const events = commands.filter((command) => command.includes('serverless invoke'));
    expect(events.length).toBeGreaterThan(5);
    for (const command of events) {
      const [, name = '', data = '{}'] = invocation.exec(command) ?? [];
      if (name === '<function>') continue;
      expect(functionNames, command).toContain(name);
      expect(() => parsers[name]?.(readCallEvent(data).event), command).not.toThrow();
    }
    expect(invocations).toBeGreaterThan(5);
    expect(() => parsers.issue?.({ dryRum: true })).toThrow();
  });

  it('print what a cluster needs, its agent’s part of the inventory, and the sandbox’s options', async () => {
    // The shipped one has no agreement to a CA's terms yet, and no cluster of an agent's.
    const folder = mkdtempSync(join(tmpdir(), 'certrelay-docs-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'certificates.yaml');
    writeFileSync(file, await readAgreedInventory());
    const [rbac, help] = await Promise.all([
      run('infra/inventory/rbac.ts', { CERTRELAY_INVENTORY: file }, 'lab', '--user', 'certrelay'),
      run('test/sandbox/main.ts', {}, '--help'),
      expect(run('infra/inventory/agent-inventory.ts', {}, 'lab', '--inventory', file)).rejects.toThrow(
        /does not say "agent: true" for a cluster "lab"/,
      ),
    ]);
    expect(rbac.stdout).toContain('kind: RoleBinding');
    expect(help.stdout).toContain('--only PART');
  });

  it('that the sandbox prints for another terminal can be parsed, too', () => {
    const printed = listCommands('/run', '/register.json')
      .map(({ command }) => command.replace(/^\/run /, '').replace(/ --path \S+/, ''))
      .filter((command) => command.includes('serverless invoke'));
    expect(printed.length).toBeGreaterThan(4);
    for (const command of printed) {
      const [, name = '', data = '{}'] = invocation.exec(command) ?? [];
      expect(functionNames, command).toContain(name);
      expect(() => parsers[name]?.(readCallEvent(data).event), command).not.toThrow();
    }
  });
});

describe('the samples of the pages', () => {
  // What a command prints (`console`) is compared by test/docs/command-line.test.ts.
  const blocks = pages.flatMap((page) =>
    page.blocks.filter(({ language }) => language !== 'sh' && language !== 'console'),
  );

  it('are each shown by a test, or the table says why not', () => {
    const others = blocks.filter(({ language }) => language !== 'yaml').map(({ text }) => text);
    expect(others.filter((text) => !samples.some(([part]) => text.includes(part)))).toEqual([]);
    expect(samples.filter(([part]) => !others.some((text) => text.includes(part)))).toEqual([]);
    expect(samples.filter(([, shown]) => !isStillTrue(shown))).toEqual([]);
  });

  it('of the inventory are valid in one', () => {
    const yaml = blocks.filter(({ language }) => language === 'yaml');
    expect(yaml.length).toBeGreaterThan(2);
    for (const { text } of yaml) expect(mistakesOf(text), text).toEqual([]);
    expect(mistakesOf('targets: [{ cluster: prod, secrets: shop-tls }]')).not.toEqual([]);
  });

  it('of a part alone is what the part prints', async () => {
    const part = await startAlone('secrets-manager');
    await part.stop();
    const [sample] = blocks.filter(({ text }) => text.includes('AWS_ENDPOINT_URL_SECRETS_MANAGER'));
    const names = [...(sample?.text ?? '').matchAll(/^export (\w+)=/gm)].map(([, name]) => name);
    expect(names).toEqual(Object.keys(part.environment));
  });

  it('of the layout name each folder of functions and lib, and none that is not there', () => {
    const [layout] = blocks.filter(({ text }) => text.startsWith('functions/ '));
    const named = new Set<string>();
    let base = '';
    for (const line of (layout?.text ?? '').split('\n')) {
      const [, indent = '', list = ''] = /^( *)((?:[a-z0-9-]+\/ ?)+)/.exec(line) ?? [];
      const folders = list.split(' ').filter((one) => one !== '');
      if (indent === '') base = folders[0] ?? '';
      else for (const folder of folders) named.add(`${base}${folder}`);
    }
    expect([...named].filter((path) => !existsSync(join(top, path)))).toEqual([]);
    const there = ['functions', 'lib'].flatMap((folder) =>
      readdirSync(join(top, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => `${folder}/${name}/`),
    );
    expect(there.filter((path) => !named.has(path))).toEqual([]);
  });
});

/** Mistakes of an inventory that has the part, with what the part leaves for the reader to fill in. */
function mistakesOf(part: string): readonly string[] {
  const filled = part
    .replaceAll('certificate/…', 'certificate/11111111-2222-3333-4444-555555555555')
    .replaceAll(/<[^>]+>/g, 'filled-in')
    .replaceAll('…', 'filled-in');
  const { targets, ...own } = z.record(z.string(), z.unknown()).parse(parse(filled));
  const shop = { name: 'shop', domains: ['shop.example.com'], ...(targets === undefined ? {} : { targets }) };
  const read = parseInventory(
    JSON.stringify({
      issuers: { default: { agreeToTerms: true } },
      clusters: Object.fromEntries(
        ['lab', 'prod'].map((name) => [name, { kubeconfig: { secret: `certrelay/clusters/${name}` } }]),
      ),
      certificates: [shop],
      ...own,
    }),
  );
  return 'problems' in read ? read.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}
