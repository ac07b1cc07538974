// Keeps the floors: who may import whom, what pure rooms may not touch, how large a room may be.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const top = join(import.meta.dirname, '..');
const maxLines = 250;
const stories = 'issue deploy register import export pause revoke probe discover agent status'.split(' ');
/** What several adapters of one service share. */
const foundations = ['aws'];
const adapters = [
  'acm',
  'acme',
  'dns',
  'eks',
  'eventbridge',
  'kubernetes',
  'route53',
  'secrets-manager',
  'sqs',
  'tls',
  'webhook',
];

/** What is impure: I/O, clock, randomness, environment. */
const impure: readonly (readonly [RegExp, string])[] = [
  [/from 'node:(fs|net|http|https|http2|dns|child_process|timers|tls|os|worker_threads)/, 'does I/O'],
  [/\bprocess\./, 'reads the process'],
  [/\bDate\.now\(|\bnew Date\(\)|\bperformance\./, 'reads the clock'],
  [/\bMath\.random\(|\brandom(UUID|Bytes|Int)\b|\bgenerateKeyPair/, 'is random'],
  [/\bfetch\(|\bsetTimeout\(|\bconsole\./, 'acts'],
  [/^import .*'(@aws-sdk|acme-client|undici|@kubernetes)/m, 'talks to a service'],
];

interface Place {
  /** 0 certificate, 1 inventory, 2 policy, 3 sockets, 4 foundations, 5 stories and adapters, 6 functions. */
  readonly floor: number;
  readonly room: string;
}

function place(path: string): Place | undefined {
  const [folder, room, file] = path.split('/');
  if (folder === 'functions') return { floor: 6, room: 'functions' };
  if (folder !== 'lib' || room === undefined) return undefined;
  if (file === undefined) return { floor: 3, room: 'sockets' };
  if (room === 'certificate') return { floor: 0, room };
  if (room === 'inventory') return { floor: 1, room };
  if (room === 'policy') return { floor: 2, room };
  if (foundations.includes(room)) return { floor: 4, room };
  return stories.includes(room) || adapters.includes(room) ? { floor: 5, room } : undefined;
}

function findViolations(files: ReadonlyMap<string, string>): readonly string[] {
  return [...files].flatMap(([path, text]) => {
    const here = place(path);
    if (!here) return [`${path}: no room is called that`];
    const found: string[] = [];
    if (text.split('\n').length - 1 > maxLines) found.push(`${path}: over ${maxLines} lines`);
    if (!text.startsWith('// ')) found.push(`${path}: the first line does not say what it is for`);
    if (here.floor < 6 && /\bprocess\.env\b/.test(text)) found.push(`${path}: reads process.env`);
    if (here.floor < 3) {
      for (const [pattern, what] of impure)
        if (pattern.test(text)) found.push(`${path}: ${what}, but the room is pure`);
    }
    for (const [, target = ''] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      const imported = posix.join(posix.dirname(path), target);
      const there = place(imported);
      if (!there) found.push(`${path}: imports ${imported}, which is no room`);
      else if (foundations.includes(there.room) && stories.includes(here.room)) {
        found.push(`${path}: imports ${imported}, which is for adapters`);
      } else if (there.floor > here.floor) found.push(`${path}: imports ${imported} from a floor above`);
      else if (there.floor === here.floor && there.room !== here.room) {
        found.push(`${path}: imports ${imported} from the room next door`);
      }
    }
    if (/from '@kubernetes\/client-node'/.test(text) && here.room !== 'kubernetes') {
      found.push(`${path}: imports the Kubernetes client outside lib/kubernetes`);
    }
    return found;
  });
}

function sources(): ReadonlyMap<string, string> {
  const paths = ['functions', 'lib'].flatMap((folder) =>
    readdirSync(join(top, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return new Map(paths.map((path) => [posix.relative(top, path), readFileSync(path, 'utf8')]));
}

describe('the building', () => {
  it('keeps its floors', () => {
    const files = sources();
    expect(files.size).toBeGreaterThan(30);
    expect(findViolations(files)).toEqual([]);
  });

  it.each([
    [
      'a pure room that reads the clock',
      'lib/policy/x.ts',
      '// x\nconst now = new Date();',
      'reads the clock',
    ],
    ['a pure room that rolls dice', 'lib/certificate/x.ts', '// x\nMath.random();', 'is random'],
    [
      'a pure room that reads files',
      'lib/policy/x.ts',
      "// x\nimport { readFile } from 'node:fs/promises';",
      'does I/O',
    ],
    ['a pure room that reads settings', 'lib/policy/x.ts', '// x\nprocess.env.A;', 'reads process.env'],
    ['settings read deep inside', 'lib/acme/x.ts', '// x\nprocess.env.A;', 'reads process.env'],
    ['a story that imports an adapter', 'lib/issue/x.ts', "// x\nimport '../acme/y.ts';", 'room next door'],
    ['an adapter that imports a story', 'lib/acme/x.ts', "// x\nimport '../issue/y.ts';", 'room next door'],
    ['an adapter that imports an adapter', 'lib/acme/x.ts', "// x\nimport '../dns/y.ts';", 'room next door'],
    ['a story that imports a story', 'lib/issue/x.ts', "// x\nimport '../deploy/y.ts';", 'room next door'],
    [
      'a story that imports what adapters share',
      'lib/deploy/x.ts',
      "// x\nimport '../aws/y.ts';",
      'for adapters',
    ],
    [
      'a lower floor that imports a higher one',
      'lib/certificate/x.ts',
      "// x\nimport '../policy/y.ts';",
      'floor above',
    ],
    ['a socket that imports an adapter', 'lib/x.ts', "// x\nimport './acme/y.ts';", 'floor above'],
    ['a lazy import upwards', 'lib/issue/x.ts', "// x\nawait import('../../functions/y.ts');", 'floor above'],
    ['a library that imports a test', 'lib/acme/x.ts', "// x\nimport '../../test/y.ts';", 'no room'],
    ['a room nobody has heard of', 'lib/misc/x.ts', '// x', 'no room'],
    ['a file that does not say what it is for', 'lib/acme/x.ts', 'export {};', 'first line'],
    ['a file that grew too large', 'lib/acme/x.ts', `// x\n${'\n'.repeat(maxLines)}`, 'over 250 lines'],
    [
      'a Kubernetes client elsewhere',
      'lib/deploy/x.ts',
      "// x\nimport { X } from '@kubernetes/client-node';",
      'outside',
    ],
  ])('refuses %s', (_what, path, text, complaint) => {
    expect(findViolations(new Map([[path, text]])).join()).toContain(complaint);
  });

  it('W17 has nothing that listens: no traffic passes through it', () => {
    const listens = (text: string) => /\bcreate(Secure|Http2Secure)?Server\b/.test(text);
    expect(listens("import { createServer } from 'node:net';")).toBe(true);
    expect([...sources()].filter(([, text]) => listens(text)).map(([path]) => path)).toEqual([]);
  });

  it('has nothing at the top but what belongs there', () => {
    const allowed = new Set(
      `functions lib infra test serverless.yml package.json package-lock.json tsconfig.json README.md LICENSE
      biome.json .oxlintrc.json vitest.config.ts .gitignore .npmrc .ci docs`.split(/\s+/),
    );
    const tracked = execFileSync('git', ['ls-files'], { cwd: top, encoding: 'utf8' });
    const names = new Set(
      tracked
        .trim()
        .split('\n')
        .map((path) => path.split('/')[0] ?? ''),
    );
    expect([...names].filter((name) => !allowed.has(name))).toEqual([]);
  });

  it('runs on Node 24, whatever the machine has', () => {
    expect(process.version).toMatch(/^v24\./);
  });
});
