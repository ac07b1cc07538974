// `npm run sandbox` as a person has it: what it prints can be pasted anywhere, and it has its folder alone.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const checkout = join(import.meta.dirname, '../..');
const run = promisify(execFile);

let home: string;
let folder: string;
let main: ChildProcess;
let printed = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'certrelay-session-'));
  // A folder as nobody should call one.
  folder = join(home, "it's $HOME & more");
  main = startMain('--folder', folder);
  for await (const chunk of main.stdout ?? []) {
    printed += String(chunk);
    if (printed.includes('Ctrl-C ends everything.')) break;
  }
  // Programs that only say how they were called.
  await mkdir(join(home, 'bin'));
  for (const name of ['npx', 'npm', 'kubectl']) {
    const script = `#!${process.execPath}\nconst { env } = process;\nconsole.log(JSON.stringify({ name: '${name}', args: process.argv.slice(2), cwd: process.cwd(), profile: env.AWS_PROFILE, proxy: env.HTTPS_PROXY ?? env.https_proxy, region: env.AWS_REGION, keys: env.AWS_ACCESS_KEY_ID, kubeconfig: env.KUBECONFIG, other: env.AWS_ENDPOINT_URL }));\n`;
    await writeFile(join(home, 'bin', name), script);
    await chmod(join(home, 'bin', name), 0o755);
  }
});
afterAll(async () => {
  main.kill('SIGKILL');
  await rm(home, { recursive: true, force: true });
});

function startMain(...args: readonly string[]) {
  return spawn(process.execPath, ['test/sandbox/main.ts', ...args], {
    cwd: checkout,
    env: { ...process.env, INIT_CWD: home },
  });
}

async function order(...args: readonly string[]) {
  const child = startMain(...args, '--folder', folder);
  const closed = new Promise((done) => child.once('close', done));
  const [output, problem] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { output, problem, status: await closed };
}

/** The commands that it has printed. */
function commands(): readonly string[] {
  return printed.split('\n').flatMap((line) => /^ {4}(\S.*)$/.exec(line)?.[1] ?? []);
}

test('the dashboard that it names shows the certificates to a browser of this machine', async () => {
  const [, url = ''] =
    /dashboard, with buttons that work, is (http:\/\/127\.0\.0\.1:\d+)/.exec(printed) ?? [];
  const page = await (await fetch(url)).text();
  const [token = '', endpoint] = ['token', 'widget'].map(
    (name) => new RegExp(`name="${name}" content="([^"]+)"`).exec(page)?.[1],
  );
  const headers = { origin: url, 'content-type': 'application/json', 'x-sandbox-token': token };
  const body = JSON.stringify({ endpoint, event: {} });
  const response = await fetch(`${url}/call`, { method: 'POST', headers, body });
  expect(await response.json()).toMatchObject({ answer: expect.stringContaining('<bdi>depot</bdi>') });
});

const shells = ['sh', 'bash', 'dash', 'zsh', 'ksh', 'fish'].filter((shell) =>
  (process.env.PATH ?? '').split(delimiter).some((place) => existsSync(join(place, shell))),
);

test.each(
  shells,
)('each command that it prints can be pasted into %s, from another folder and another account', async (shell) => {
  expect(commands().length).toBeGreaterThan(9);
  const env = {
    PATH: `${join(home, 'bin')}${delimiter}${process.env.PATH}`,
    HOME: '/nonexistent',
    AWS_PROFILE: 'production',
    AWS_REGION: 'us-east-1',
    HTTPS_PROXY: 'http://forward.example.com',
    https_proxy: 'http://forward.example.com',
  };
  const calls = [];
  for (const command of commands()) {
    const { stdout } = await run(shell, ['-c', command], { cwd: '/', env });
    calls.push(JSON.parse(stdout));
  }
  expect(calls.map(({ name, args }) => [name, ...args])).toEqual([
    ['npx', 'certrelay', 'plan'],
    ['npx', 'certrelay', 'status'],
    ['npx', 'certrelay', 'forecast'],
    ['npx', 'serverless', 'invoke', 'local', '-f', 'issue', '--data', '{"dryRun": true}'],
    ['npx', 'serverless', 'invoke', 'local', '-f', 'issue'],
    ['npx', 'serverless', 'invoke', 'local', '-f', 'deploy'],
    ['npx', 'serverless', 'invoke', 'local', '-f', 'register', '--path', join(folder, 'register.json')],
    ['npx', 'certrelay', 'register', 'other', '--domain', 'other.example.org'],
    ['npx', 'serverless', 'invoke', '-f', 'issue'],
    ['npx', 'certrelay', 'why', 'shop'],
    ['npx', 'serverless', 'invoke', 'local', '-f', 'export', '--data', '{"certificates": ["shop"]}'],
    ['kubectl', '-n', 'shop', 'get', 'secret', 'shop-tls'],
    ['npm', 'run', '--silent', 'sandbox', '--', 'break', 'cluster', '--folder', folder],
    ['npm', 'run', '--silent', 'sandbox', '--', 'mend', 'all', '--folder', folder],
  ]);
  for (const { cwd, profile, proxy, region, keys, kubeconfig, other } of calls) {
    expect({ cwd, profile, proxy, region, keys, kubeconfig }).toEqual({
      cwd: checkout,
      region: 'eu-central-1',
      keys: 'AKIASANDBOXOPERATOR',
      kubeconfig: join(folder, 'kubeconfig'),
    });
    // What the sandbox does not imitate is asked of nobody.
    expect((await fetch(other)).status).toBe(403);
  }
});

test('the environment that it names can be read into a session', async () => {
  const [, source = ''] = /^In a POSIX shell {2}(\. .*) {2}gives/m.exec(printed) ?? [];
  const { stdout } = await run(
    'sh',
    ['-c', `${source} && echo "$CERTRELAY_INVENTORY $CERTRELAY_WEBHOOK_URL"`],
    {
      cwd: '/',
      env: { PATH: process.env.PATH },
    },
  );
  expect(stdout).toMatch(/\/certificates\.yaml http:\/\/127\.0\.0\.1:\d+\/domains\n$/);
  expect(stdout.startsWith(dirname(join(folder, 'x')))).toBe(true);
});

test('a second one in the same folder is refused in words, and orders reach the first', async () => {
  const second = await order();
  expect(second).toMatchObject({ status: 2, output: '' });
  expect(second.problem).toBe(
    `${folder} belongs to the sandbox of ${checkout}, process ${main.pid}, started at ${/started at (\S+)\.\n/.exec(second.problem)?.[1]}.\nEnd that one (Ctrl-C, or kill ${main.pid}), or give this one another folder: --folder PATH\n`,
  );
  expect(await order('broken')).toMatchObject({ status: 0, output: 'nothing is broken\n' });
  expect((await order('break', 'ca-pauses', 'dns')).output).toBe(
    'broken: ca-pauses: the CA has paused shop.example.com until a person acts there\nbroken: dns: no name server answers\n',
  );
  const hostile = await order('break', '\u001b[31mred');
  expect(hostile).toMatchObject({ status: 2, output: '' });
  expect(hostile.problem).toContain('nothing is called "\\u001b[31mred"; there are:\ncluster ');
  expect((await order('mend', 'dns', 'zone')).output).toMatch(
    /^mended: dns\nnot broken: zone\nbroken: ca-pauses: .*\n$/,
  );
  expect((await order('mend', 'all')).output).toBe('mended: ca-pauses\nnothing is broken\n');
  expect((await order('break')).problem).toContain('name what to break:\ncluster ');
  expect((await order('smash')).problem).toBe('"smash" is no order; see --help\n');
  expect((await order('--fast')).problem).toMatch(/--fast.*; see --help/);
});

test('ended by a signal, it leaves nothing behind', async () => {
  const ended = new Promise((done) => main.once('exit', (code) => done(code)));
  main.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(existsSync(folder)).toBe(false);
  expect((await order('broken')).problem).toBe(
    `no sandbox runs in ${folder}; start one with: npm run sandbox\n`,
  );
});
