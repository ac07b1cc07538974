// The commands that messages show: a shell reads from them what was meant, whatever the names are.
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  type CalledFunction,
  findRbacCommand,
  invokeCommand,
  rbacCommand,
  setCommandPlace,
} from '../../lib/policy/commands.ts';
import { certrelayWith, startScriptedLambda } from '../cli/harness.ts';

/** The words that a shell gives to `npx`. */
function readByShell(command: string): readonly string[] {
  const script = `npx() { printf '%s\\0' "$@"; }; ${command}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

/** The same words as fish reads them, of a line that has nothing but words; it throws for any other. */
function readByFish(command: string): readonly string[] {
  const part = /'((?:[^'\\]|\\[\s\S])*)'|"((?:[^"\\$]|\\[\s\S])*)"|\\(['\\])|([\w./:=@%+,-]+)|( )/y;
  const words = [''];
  while (part.lastIndex < command.length) {
    const [found, single, double, escaped, plain, gap] = part.exec(command) ?? [];
    if (found === undefined) throw new Error(`fish does more with ${command}`);
    const text =
      single?.replace(/\\([\\'])/g, '$1') ?? double?.replace(/\\([\\"$])/g, '$1') ?? escaped ?? plain ?? '';
    if (gap === undefined) words.push(`${words.pop()}${text}`);
    else words.push('');
  }
  return words.slice(1);
}

describe('a command', () => {
  it.each([
    'shop',
    "it's",
    `"; exit 7; echo "`,
    "'; exit 7; '",
    '$(id) `id` $HOME !! \\ \\n',
    "\\'; exit 7; '",
    "\\\\\\'\\",
    'line\nbreak\u2028and\u0007bell',
    '\u001b[2Jred\u202Eder',
    'Grüße 🔐',
    '-rf',
  ])('gives the function the event that was meant for the name %j, in plain characters', (name) => {
    const data = { certificates: [name], resume: true };
    const command = invokeCommand('deploy', data);
    expect(command).toMatch(/^[ -~]+$/);
    const words = readByShell(command);
    expect(readByFish(command)).toEqual(words);
    if (words[0] === 'certrelay') return expect(words).toEqual(['certrelay', 'resume', name]);
    expect(words.slice(0, -1)).toEqual(['serverless', 'invoke', '--function', 'deploy', '--data']);
    return expect(JSON.parse(words.at(-1) ?? '')).toEqual(data);
  });

  it.each([
    ['-rf', 'a name that would be an option'],
    ['red\u202Eder', 'a name that a terminal does not show'],
  ])('invokes the function for %j: %s', (name) => {
    expect(invokeCommand('status', { certificates: [name] })).toMatch(/^npx serverless invoke/);
  });

  it.each<[CalledFunction, Readonly<Record<string, unknown>> | undefined, string]>([
    ['status', undefined, 'status'],
    ['status', { certificates: ['shop'], report: true }, 'status shop'],
    ['issue', { dryRun: true }, 'plan'],
    ['issue', { certificates: ['shop'], dryRun: true }, 'plan shop'],
    ['issue', { certificates: ['shop'], force: true }, 'renew shop --force'],
    ['issue', { rotateAccountKey: 'default', dryRun: true }, 'rotate-account-key default --dry-run'],
    ['deploy', { clusters: ['prod'], dryRun: true }, 'deploy --cluster prod --dry-run'],
    ['deploy', { targets: ['prod/shop/tls', 'prod/a/b'] }, 'deploy --target prod/shop/tls prod/a/b'],
    ['deploy', { certificates: ['shop'], rollback: true }, 'rollback shop'],
    ['pause', { certificates: ['shop'], resume: true }, 'unpause shop'],
    ['pause', { certificates: ['shop'], until: '7d' }, 'pause shop --until 7d'],
    ['retire', { restore: ['shop'] }, 'restore shop'],
    ['retire', { certificates: ['shop'], dryRun: true }, 'retire shop --dry-run'],
    ['probe', { certificates: ['shop'] }, 'probe shop'],
    ['discover', { dryRun: true }, 'discover --dry-run'],
    ['notify', { test: true }, 'notify --test'],
    ['issue', { forecast: '90d' }, 'forecast --for 90d'],
    [
      'issue',
      { forecast: '30d', from: '2028-02-16', reuse: '7h' },
      'forecast --for 30d --from 2028-02-16 --reuse 7h',
    ],
    [
      'status',
      { acknowledge: ['shop', 'cluster/prod'], for: '30d', reason: 'needed' },
      'ack shop cluster/prod --for 30d --reason needed',
    ],
  ])('for %s with %j is: npx certrelay, which calls it with that', async (name, data, words) => {
    const command = invokeCommand(name, data);
    expect(command).toBe(`npx certrelay ${words}`);
    const lambda = await startScriptedLambda(() => ({ body: '{"ok":true,"failures":[],"days":[]}' }));
    const ended = await certrelayWith(readByShell(command).slice(1), { env: lambda.env });
    lambda.stop();
    expect(ended.code).toBe(0);
    const event = { ...data, report: true };
    expect(lambda.events).toContainEqual(expect.objectContaining({ name, event }));
  });

  it.each([
    ['system:serviceaccount:certrelay:certrelay', ['--service-account', 'certrelay/certrelay']],
    ['certrelay', ['--user', 'certrelay']],
    ["o'neill; id", ['--user', "o'neill; id"]],
  ])('of rights binds the user %j, and is found again where words end with it', (user, bound) => {
    const command = rbacCommand('lab', user);
    expect(readByShell(command.split(' | ')[0] ?? '')).toEqual(['certrelay', 'rbac', 'lab', ...bound]);
    const isPlain = !user.includes("'");
    expect(findRbacCommand('lab', `may not; run: ${command}`)).toBe(isPlain ? command : undefined);
    expect(findRbacCommand('prod', `may not; run: ${command}`)).toBeUndefined();
    expect(findRbacCommand('lab', `may not; run: ${command}; rm -rf /`)).toBeUndefined();
  });

  it('invokes the function if the command line has no word for a field', () => {
    expect(invokeCommand('status', { acknowledge: ['shop'] })).toMatch(
      /^npx serverless invoke .*acknowledge/,
    );
    expect(invokeCommand('export', { certificates: ['shop'] })).toMatch(/^npx serverless invoke/);
  });

  it.each([
    [{ stage: 'dev' }, []],
    [{ stage: 'dev', region: 'eu-central-1' }, ['--region', 'eu-central-1']],
    [{ stage: 'prod' }, ['--stage', 'prod']],
    [{ stage: "a'; id; '", region: 'us-gov-west-1' }, ['--stage', "a'; id; '", '--region', 'us-gov-west-1']],
  ])('names of the installation %j what is not certain', (place, options) => {
    setCommandPlace(place);
    expect(readByShell(invokeCommand('issue', { dryRun: true }))).toEqual(['certrelay', 'plan', ...options]);
    const invocation = readByShell(invokeCommand('export', {}));
    expect(invocation.slice(4, 4 + options.length)).toEqual(options);
  });
});
