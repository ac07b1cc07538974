// Keeps the floors: who may import whom, what pure rooms may not touch, how large a room may be.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const top = join(import.meta.dirname, '..');
const maxLines = 250;
const stories =
  'issue deploy register import export pause retire revoke probe discover agent status notify dashboard'.split(
    ' ',
  );

/** Rooms of lib, from the ground: a file imports from its own room, or from one on a floor below. */
const floors: readonly (readonly string[])[] = [
  ['certificate', 'async'],
  ['inventory', 'state'],
  ['policy'],
  ['ports'],
  ['adapters'],
  ['requests', 'settings'],
  stories,
];
/** Rooms of infra, in the same way. */
const infraFloors: readonly (readonly string[])[] = [
  ['node'],
  ['inventory', 'template'],
  ['build'],
  ['deploy'],
  ['cli'],
];
/** Those below are pure, but for async, which waits. */
const pureFloors = 3;

/** What is impure: I/O, clock, randomness, environment. */
const impure: readonly (readonly [RegExp, string])[] = [
  [/from 'node:(fs|net|http|https|http2|dns|child_process|timers|tls|os|worker_threads)/, 'does I/O'],
  [/\bprocess\./, 'reads the process'],
  [/\bDate\.now\(|\bnew Date\(\)|\bperformance\./, 'reads the clock'],
  [/\bMath\.random\(|\brandom(UUID|Bytes|Int)\b|\bgenerateKeyPair/, 'is random'],
  [/\bfetch\(|\bsetTimeout\(|\bconsole\./, 'acts'],
  [/^import .*'(@aws-sdk|acme-client|undici|@kubernetes)/m, 'talks to a service'],
];

/** What only adapters and the functions' runtime do; everybody else takes the time from the clock port. */
const timing =
  /\bDate\.now\(|\bnew Date\(\)|\bperformance\.|\bset(Timeout|Interval)\(|\bAbortSignal\.timeout\(|'node:timers/;

interface Place {
  /** Index in `floors`; that of functions is above all. */
  readonly floor: number;
  readonly room: string;
  /** The service, of an adapter. */
  readonly service?: string | undefined;
}

function place(path: string): Place | undefined {
  const [folder, room, file, rest] = path.split('/');
  if (folder === 'functions') return { floor: floors.length, room: 'functions' };
  if (folder !== 'lib' || room === undefined || file === undefined) return undefined;
  const floor = floors.findIndex((rooms) => rooms.includes(room));
  if (floor < 0 || (room === 'adapters' && rest === undefined)) return undefined;
  return { floor, room, service: room === 'adapters' ? file : undefined };
}

/** Relative paths of what a file imports, types and lazy imports too. */
function importsOf(path: string, text: string): readonly string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, target = '']) =>
    posix.join(posix.dirname(path), target),
  );
}

function findViolations(files: ReadonlyMap<string, string>): readonly string[] {
  return [...files].flatMap(([path, text]) => {
    const here = place(path);
    if (!here) return [`${path}: no room is called that`];
    const found: string[] = [];
    if (text.split('\n').length - 1 > maxLines) found.push(`${path}: over ${maxLines} lines`);
    if (!text.startsWith('// ')) found.push(`${path}: the first line does not say what it is for`);
    if (here.room !== 'functions' && /\bprocess\.env\b/.test(text)) found.push(`${path}: reads process.env`);
    if (here.room !== 'functions' && here.room !== 'adapters' && timing.test(text)) {
      found.push(`${path}: has a time of its own, instead of the clock port's`);
    }
    if (here.floor < pureFloors && here.room !== 'async') {
      for (const [pattern, what] of impure)
        if (pattern.test(text)) found.push(`${path}: ${what}, but the room is pure`);
    }
    for (const imported of importsOf(path, text)) {
      const problem = judgeImport(here, place(imported));
      if (problem) found.push(`${path}: imports ${imported}${problem}`);
    }
    if (/extends CertrelayError(?!<\w+Code>)/.test(text) || countErrors(text) > 1) {
      found.push(`${path}: an error without closed codes of its own`);
    }
    if (/from '@kubernetes\/client-node'/.test(text) && here.service !== 'kubernetes') {
      found.push(`${path}: imports the Kubernetes client outside lib/adapters/kubernetes`);
    }
    return found;
  });
}

/** Error classes of a file, without those of the base: a port has one, with the codes its callers branch
 *  on. */
function countErrors(text: string): number {
  return [...text.matchAll(/extends CertrelayError<(?!ConfigErrorCode)/g)].length;
}

/** What is wrong with an import, as the end of a sentence. `aws` is what adapters of several services
 *  share. */
function judgeImport(here: Place, there: Place | undefined): string | undefined {
  if (!there) return ', which is no room';
  if (there.room === here.room) {
    const isShared = there.service === here.service || (there.service === 'aws' && here.service !== 'aws');
    return isShared ? undefined : ' from the adapter next door';
  }
  if (there.floor > here.floor) return ' from a floor above';
  if (there.floor === here.floor) return ' from the room next door';
  if (there.room === 'adapters' && here.room !== 'functions') return ', and only functions know adapters';
  return undefined;
}

/** Files that import one another in a circle, one list for each. */
function findCircles(files: ReadonlyMap<string, string>): readonly (readonly string[])[] {
  const imports = new Map([...files].map(([path, text]) => [path, importsOf(path, text)]));
  const reachable = (from: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    const open = [...(imports.get(from) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...(imports.get(next) ?? []));
    }
    return seen;
  };
  const reached = new Map([...files.keys()].map((path) => [path, reachable(path)]));
  const inCircle = [...files.keys()].filter((path) => reached.get(path)?.has(path));
  return inCircle.map((path) => [path, ...inCircle.filter((other) => reached.get(path)?.has(other))]);
}

function sources(): ReadonlyMap<string, string> {
  return new Map(['functions', 'lib'].flatMap((folder) => [...readFolder(folder)]));
}

function readFolder(folder: string): ReadonlyMap<string, string> {
  const paths = readdirSync(join(top, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [posix.relative(top, path), readFileSync(path, 'utf8')]));
}

/** The folder that a file of infra lies in. */
const room = (path: string) => path.split('/')[1];

describe('the building', () => {
  it('keeps its floors', () => {
    const files = sources();
    expect(files.size).toBeGreaterThan(30);
    expect(findViolations(files)).toEqual([]);
  });

  it('keeps the floors of infra, where nothing that is code lies loose', () => {
    const floorOf = (path: string) =>
      infraFloors.findIndex((rooms) => rooms.some((room) => path.startsWith(`infra/${room}/`)));
    const files = readFolder('infra');
    expect([...files.keys()].filter((path) => floorOf(path) < 0)).toEqual([]);
    const up = [...files].flatMap(([path, text]) =>
      importsOf(path, text)
        .filter((imported) => imported.startsWith('infra/') && room(imported) !== room(path))
        .filter((imported) => floorOf(imported) >= floorOf(path))
        .map((imported) => `${path} imports ${imported}`),
    );
    expect(up).toEqual([]);
  });

  it('has no circles, types included', () => {
    expect(findCircles(new Map([...sources(), ...readFolder('infra')]))).toEqual([]);
    const circle = new Map([
      ['lib/issue/a.ts', "import './b.ts';"],
      ['lib/issue/b.ts', "import type { A } from './a.ts';"],
    ]);
    expect(findCircles(circle)).toHaveLength(2);
  });

  it('has at most 25 rooms on 8 floors, and 128 arrows between them', () => {
    const files = new Map([...sources(), ...readFolder('infra')]);
    const roomOf = (path: string) =>
      (path.startsWith('lib/') ? path.split('/')[1] : path.split('/')[0]) ?? '';
    const rooms = new Set([...files.keys()].map(roomOf));
    const arrows = new Set(
      [...files].flatMap(([path, text]) =>
        importsOf(path, text).map((imported) => `${roomOf(path)} → ${roomOf(imported)}`),
      ),
    );
    const between = [...arrows].filter((arrow) => new Set(arrow.split(' → ')).size === 2);
    console.log(`${rooms.size} rooms, ${floors.length + 1} floors, ${between.length} arrows`);
    expect(rooms.size).toBeLessThanOrEqual(25);
    expect(floors.length + 1).toBeLessThanOrEqual(8);
    expect(between.length).toBeLessThanOrEqual(128);
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
    ['settings read deep inside', 'lib/adapters/acme/x.ts', '// x\nprocess.env.A;', 'reads process.env'],
    [
      'a story that imports an adapter',
      'lib/issue/x.ts',
      "// x\nimport '../adapters/acme/y.ts';",
      'only functions',
    ],
    [
      'an adapter that imports a story',
      'lib/adapters/acme/x.ts',
      "// x\nimport '../../issue/y.ts';",
      'floor above',
    ],
    [
      'an adapter that imports an adapter',
      'lib/adapters/acme/x.ts',
      "// x\nimport '../dns/y.ts';",
      'next door',
    ],
    ['a story that imports a story', 'lib/issue/x.ts', "// x\nimport '../deploy/y.ts';", 'room next door'],
    [
      'a story that imports what adapters share',
      'lib/deploy/x.ts',
      "// x\nimport '../adapters/aws/y.ts';",
      'only functions',
    ],
    [
      'a lower floor that imports a higher one',
      'lib/certificate/x.ts',
      "// x\nimport '../policy/y.ts';",
      'floor above',
    ],
    [
      'a socket that imports an adapter',
      'lib/ports/x.ts',
      "// x\nimport '../adapters/acme/y.ts';",
      'floor above',
    ],
    [
      'a request that imports settings',
      'lib/requests/x.ts',
      "// x\nimport '../settings/y.ts';",
      'room next door',
    ],
    ['a file that lies loose in lib', 'lib/x.ts', '// x', 'no room'],
    ['an adapter of no service', 'lib/adapters/x.ts', '// x', 'no room'],
    ['a lazy import upwards', 'lib/issue/x.ts', "// x\nawait import('../../functions/y.ts');", 'floor above'],
    [
      'a library that imports a test',
      'lib/adapters/acme/x.ts',
      "// x\nimport '../../../test/y.ts';",
      'no room',
    ],
    ['a room nobody has heard of', 'lib/misc/x.ts', '// x', 'no room'],
    ['a file that does not say what it is for', 'lib/adapters/acme/x.ts', 'export {};', 'first line'],
    [
      'a file that grew too large',
      'lib/adapters/acme/x.ts',
      `// x\n${'\n'.repeat(maxLines)}`,
      'over 250 lines',
    ],
    ['a story that sets a timer', 'lib/issue/x.ts', '// x\nsetTimeout(go, 1);', 'clock port'],
    ['a wait with a time of its own', 'lib/async/x.ts', '// x\nAbortSignal.timeout(1);', 'clock port'],
    ['a request that reads the clock', 'lib/requests/x.ts', '// x\nconst now = new Date();', 'clock port'],
    [
      'an error whose codes are open',
      'lib/ports/x.ts',
      '// x\nexport class XError extends CertrelayError {}',
      'without closed codes',
    ],
    [
      'a file that holds the errors of two sockets',
      'lib/ports/x.ts',
      '// x\nclass A extends CertrelayError<ACode> {}\nclass B extends CertrelayError<BCode> {}',
      'without closed codes',
    ],
    [
      'a Kubernetes client elsewhere',
      'lib/deploy/x.ts',
      "// x\nimport { X } from '@kubernetes/client-node';",
      'outside',
    ],
  ])('refuses %s', (_what, path, text, complaint) => {
    expect(findViolations(new Map([[path, text]])).join()).toContain(complaint);
  });

  it('keeps its fakes in test/fakes, and calls what the tests of a folder start from a harness', () => {
    const misplaced = (path: string, text: string) =>
      (/^(export )?class \w+ (extends \w+ )?implements /m.test(text) &&
        !/^test\/(fakes|sandbox)\//.test(path)) ||
      /\/(\w*-)?(bench|fakes?|fixtures?|helpers?|setting|setup|world)\.ts$/.test(
        path.replace(/^test\/bench\//, ''),
      );
    expect(misplaced('test/issue/bench.ts', '// x')).toBe(true);
    expect(misplaced('test/issue/x.test.ts', 'class MemoryStore implements Store {}')).toBe(true);
    expect(
      [...readFolder('test')].filter(([path, text]) => misplaced(path, text)).map(([path]) => path),
    ).toEqual([]);
  });

  it('has one door: a function says what it parses, connects and runs, and the door does the rest', () => {
    const functions = [...sources()].filter(([path]) => /^functions\/[^/]+\.ts$/.test(path));
    const goAround = ([, text]: readonly [string, string]) =>
      !/\bdefine(Queue|Message)?Function\b/.test(text) ||
      /\bfinally\b|beginInvocation|process\.stdout/.test(text);
    expect(functions.filter(goAround).map(([path]) => path)).toEqual([]);
    expect(functions.filter(([, text]) => text.split('\n').length > 95).map(([path]) => path)).toEqual([]);
  });

  it('passes no bare true or false, whose meaning cannot be read at the call', () => {
    const bare = (text: string) =>
      [...text.matchAll(/^.*[,(]\s*(?:true|false)\s*[,)].*$/gm)]
        .map(([line]) => line)
        .filter((line) => !named.test(line));
    // zod's and yaml's own words.
    const named = /\.?(literal|default)\(|getIn\(|^\s*(\/\/|\*)/;
    expect(bare('deliver(job, true);')).toHaveLength(1);
    expect(bare('deliver(job, { isSeen: true });')).toEqual([]);
    const calls = [...sources(), ...readFolder('infra')].flatMap(([path, text]) =>
      bare(text).map((line) => `${path}: ${line.trim()}`),
    );
    expect(calls).toEqual([]);
  });

  it('W17 has nothing that listens: no traffic passes through it', () => {
    const listens = (text: string) => /\bcreate(Secure|Http2Secure)?Server\b/.test(text);
    expect(listens("import { createServer } from 'node:net';")).toBe(true);
    expect([...sources()].filter(([, text]) => listens(text)).map(([path]) => path)).toEqual([]);
  });

  it('has nothing at the top but what belongs there', () => {
    const allowed = new Set(
      `functions lib infra test serverless.yml package.json package-lock.json tsconfig.json README.md LICENSE
      biome.json .oxlintrc.json vitest.config.ts .gitignore .npmrc .editorconfig .ci .github docs`.split(
        /\s+/,
      ),
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
