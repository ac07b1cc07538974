// `certrelay completion`: what it prints is read by real shells.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openTerminal } from '../terminal.ts';
import { answering, certrelay, keys, runProcess, startScriptedLambda } from './harness.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certrelay-completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out, err, code } = await runProcess(['completion', shell], {});
    expect({ err, code }).toEqual({ err: '', code: 0 });
    await writeFile(join(folder, shell), out);
  }
  await writeFile(join(folder, 'request file.yaml'), '');
  // The bundles are built first, if nobody has built them yet.
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What bash would offer for each of the lines, the last word of which is being typed. */
async function offer(
  lines: readonly (readonly string[])[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly (readonly string[])[]> {
  const script = `source ./bash || exit
try() { COMP_WORDS=(certrelay "$@"); COMP_LINE="\${COMP_WORDS[*]}"; COMP_LINE="\${COMP_LINE// = /=}"; COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _certrelay; printf '%s\\n' "\${COMPREPLY[@]}" --end--; }
${lines.map((words) => `try ${words.map((word) => `'${word}'`).join(' ')}`).join('\n')}`;
  const options = { cwd: folder, env: { PATH: process.env.PATH, ...env } };
  const { stdout } = await promisify(execFile)('bash', ['-u', '-c', script], options);
  const offers = stdout.split('--end--\n').slice(0, -1);
  return offers.map((one) => one.split('\n').filter((word) => word !== ''));
}

describe('in bash', () => {
  it.each<readonly [readonly string[], readonly string[]]>([
    [['unr'], ['unregister']],
    [['--stage', 'prod', 'ret'], ['retire']],
    [['status', '--w'], ['--watch']],
    [['status', '-o', 'w'], ['wide']],
    [['status', '--output', '=', 'js'], ['json']],
    [['-q', 'revoke', 'shop', '--reason', 'key'], ['keyCompromise']],
    [['pause', 'shop', '--reason', ''], []],
    [['register', ''], []],
    [['register', 'shop', '-f', 'req'], ['request file.yaml']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['no-command', ''], []],
  ])('%j is completed by %j', async (words, expected) => {
    expect(await offer([words])).toEqual([expected]);
  });

  it('every command and option of the help is offered', async () => {
    const { out } = await certrelay('--help', { env: {} });
    const named = [...out.matchAll(/^ {2}([a-z][a-z-]+) /gm)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(25);
    const [offered] = await offer([['']]);
    expect(offered?.toSorted()).toEqual([...new Set(named)].toSorted());
    const help = await certrelay('revoke --help', { env: {} });
    const options = [...help.out.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name = '']) => name);
    const [flags] = await offer([['revoke', '--']]);
    expect(flags?.toSorted()).toEqual([...new Set(options)].toSorted());
  });

  it('names of certificates are asked of the installation that the line says, once in a minute', async () => {
    const names = ['shop', 'shipping', '$(touch here)', '*', '-rf'].map((name) => ({ name }));
    const lambda = await answering({ certificates: names });
    const lines = [
      ['--stage', 'prod', 'renew', 'sh'],
      ['--stage', 'prod', 'why', ''],
      ['status', '--stage=test', 'shi'],
    ];
    expect(await offer(lines, lambda.env)).toEqual([
      ['shipping', 'shop'],
      ['shipping', 'shop'],
      ['shipping'],
    ]);
    expect(lambda.events).toMatchObject([
      { name: 'status', url: expect.stringContaining('certrelay-prod-status') },
      { name: 'status', url: expect.stringContaining('certrelay-test-status') },
    ]);
  });

  it('nobody waits for names of an installation that does not answer', async () => {
    const lambda = await startScriptedLambda(() => undefined);
    onTestFinished(() => lambda.stop());
    expect(await offer([['renew', 'sh']], lambda.env)).toEqual([[]]);
    expect(
      await offer([['renew', 'sh']], { ...keys, AWS_ENDPOINT_URL_LAMBDA: 'http://127.0.0.1:9' }),
    ).toEqual([[]]);
  });
});

it.each([
  ['--endpoint-url http://127.0.0.1:14000 unr', 'unregister '],
  ['--endpoint-url=http://127.0.0.1:14000 status --output=js', '--output=json '],
  ['status --output jso', '--output json '],
  ['register shop -f old:req', '-f old:request '],
])('bash itself splits %s and puts %j there', async (line, words) => {
  await writeFile(join(folder, 'old:request'), '');
  const bash = await openTerminal(['bash', '--norc', '--noprofile', '-i'], { HOME: folder, PS1: '' }, 200);
  bash.type(`cd ${folder}; source ./bash; echo rea''dy\r`);
  await bash.waitFor('ready');
  bash.type(`certrelay ${line}\t`);
  await bash.waitFor(words);
});

it.each([
  '--stage=prod',
  '--stage prod',
])('fish, if this machine has it, asks the installation of %s for names', async (place) => {
  const lambda = await answering({ certificates: [{ name: 'shop' }] });
  const script = `source ./fish; complete -C 'certrelay ${place} why sh'`;
  const env = { PATH: process.env.PATH, HOME: folder, ...lambda.env };
  const asked = promisify(execFile)('fish', ['--no-config', '-c', script], { cwd: folder, env });
  const offered = await asked.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (!offered) return;
  expect(offered.stdout).toBe('shop\n');
  expect(lambda.events).toMatchObject([{ url: expect.stringContaining('certrelay-prod-status') }]);
});

it('is well-formed for each shell that this machine has', () => {
  const flags = { bash: '-n', zsh: '-n', fish: '--no-execute' } as const;
  const checked = Object.entries(flags).flatMap(([shell, flag]) => {
    try {
      execFileSync(shell, ['-c', 'true'], { stdio: 'ignore' });
    } catch {
      return [];
    }
    execFileSync(shell, [flag, join(folder, shell)]);
    return [shell];
  });
  expect(checked).toContain('bash');
});

it('nobody waits for names whose credentials come from a program that waits', async () => {
  // It reads what nobody writes, and ends with whoever has started it.
  await writeFile(join(folder, 'config'), '[default]\nregion = eu-central-1\ncredential_process = cat\n');
  const env = { AWS_CONFIG_FILE: join(folder, 'config'), AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
  expect(await runProcess(['completion', '--names'], { ...env, AWS_PROFILE: 'default' })).toEqual({
    code: 0,
    out: '',
    err: '',
  });
});

it.each([
  'completion',
  'completion tcsh',
])('%s is wrong usage: it says which shells there are', async (line) => {
  expect(await certrelay(line, { env: {} })).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('completion bash (or zsh, or fish)'),
  });
});
