// What a running sandbox tells a person to type. Each command works as it stands, from any folder and in any
// shell.
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A command with what it does. */
export interface ShownCommand {
  readonly what: string;
  readonly command: string;
}

/** Variables of a person's shell that would lead commands elsewhere. */
const misleading = [
  ...['PROFILE', 'DEFAULT_PROFILE', 'SESSION_TOKEN', 'SECURITY_TOKEN', 'DEFAULT_REGION'].map(
    (name) => `AWS_${name}`,
  ),
  ...['HTTP', 'HTTPS', 'ALL'].map((name) => `${name}_PROXY`),
];

/** A word as POSIX shells, and fish, take it for one. */
export function quote(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Writes what commands need into the sandbox's folder: the environment, and a script that gives it to a
 *  command and runs it in the checkout. Returns that script's path. */
export async function writeEnvironment(
  folder: string,
  checkout: string,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const file = join(folder, 'environment');
  // A profile would count before the keys, and lead to a real account; a proxy cannot reach this machine.
  const unset = `unset ${[...misleading, ...misleading.map((name) => name.toLowerCase())].join(' ')}`;
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`);
  await writeFile(file, [unset, ...lines, ''].join('\n'), { mode: 0o600 });
  const run = join(folder, 'run');
  const script = [
    '#!/bin/sh',
    '# Runs a command in the checkout, with the environment of this sandbox.',
    `. ${quote(file)}`,
    `cd ${quote(checkout)} || exit`,
    'exec "$@"',
    '',
  ];
  await writeFile(run, script.join('\n'));
  await chmod(run, 0o700);
  return run;
}

/** The commands that a sandbox shows. @param run Path of its script. @param registration Path of an event. */
export function listCommands(run: string, registration: string): readonly ShownCommand[] {
  const of = (what: string, ...words: readonly string[]): ShownCommand => ({
    what,
    command: [run, ...words].map(quote).join(' '),
  });
  const local = (name: string, ...more: readonly string[]) =>
    ['npx', 'serverless', 'invoke', 'local', '-f', name, ...more] as const;
  return [
    of('What is due, and why', 'npx', 'certrelay', 'plan'),
    of('How everything stands', 'npx', 'certrelay', 'status'),
    of('What the next 90 days bring, and cost', 'npx', 'certrelay', 'forecast'),
    of(
      'The same plan, in a function that runs in your terminal',
      ...local('issue', '--data', '{"dryRun": true}'),
    ),
    of('Order what is due', ...local('issue')),
    of('Bring it to every target', ...local('deploy')),
    of('Register a customer, signed as the webhook wants it', ...local('register', '--path', registration)),
    of(
      'Another one, from the command line',
      'npx',
      'certrelay',
      'register',
      'other',
      '--domain',
      'other.example.org',
    ),
    of(
      'Order through the sandbox’s Lambda, where the log below is from',
      'npx',
      'serverless',
      'invoke',
      '-f',
      'issue',
    ),
    of('All that is known of one certificate', 'npx', 'certrelay', 'why', 'shop'),
    of(
      'The certificate and its key, as a file each would have them',
      ...local('export', '--data', '{"certificates": ["shop"]}'),
    ),
    of('The cluster', 'kubectl', '-n', 'shop', 'get', 'secret', 'shop-tls'),
  ];
}
