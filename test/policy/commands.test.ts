// The commands that messages show: a shell reads from them what was meant, whatever the names are.
import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { invokeCommand, setCommandPlace } from '../../lib/policy/commands.ts';

afterEach(() => setCommandPlace({}));

/** The words that a shell gives to `npx`. */
function readByShell(command: string): readonly string[] {
  const script = `npx() { printf '%s\\0' "$@"; }; ${command}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

describe('a command', () => {
  it.each([
    'shop',
    "it's",
    `"; exit 7; echo "`,
    "'; exit 7; '",
    '$(id) `id` $HOME !! \\ \\n',
    'line\nbreak\u2028and\u0007bell',
    '\u001b[2Jred\u202Eder',
    'Grüße 🔐',
    '-rf',
  ])('gives the function the event that was meant for the name %j, in plain characters', (name) => {
    const data = { certificates: [name], resume: true };
    const command = invokeCommand('deploy', data);
    expect(command).toMatch(/^[ -~]+$/);
    const words = readByShell(command);
    expect(words.slice(0, -1)).toEqual(['serverless', 'invoke', '--function', 'deploy', '--data']);
    expect(JSON.parse(words.at(-1) ?? '')).toEqual(data);
  });

  it('without an event has none', () => {
    expect(invokeCommand('status')).toBe('npx serverless invoke --function status');
  });

  it.each([
    [{ stage: 'dev', region: 'eu-central-1' }, []],
    [{ stage: 'prod' }, ['--stage', 'prod']],
    [{ region: 'us-east-1' }, ['--region', 'us-east-1']],
    [{ stage: "a'; id; '", region: 'us-gov-west-1' }, ['--stage', "a'; id; '", '--region', 'us-gov-west-1']],
  ])('names of the installation %j what is not the default', (place, options) => {
    setCommandPlace(place);
    const words = readByShell(invokeCommand('issue', { dryRun: true }));
    expect(words).toEqual([
      'serverless',
      'invoke',
      '--function',
      'issue',
      ...options,
      '--data',
      '{"dryRun":true}',
    ]);
  });
});
