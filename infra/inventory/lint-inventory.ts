// Checks an inventory before it is deployed: its mistakes, and stored certificates that it would not allow
// any more.
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { describeProblems } from '../../lib/inventory/problems.ts';
import { toError } from '../../lib/ports/errors.ts';
import { isMainScript } from '../node/main-script.ts';
import type { LintCode, LintPorts } from './lint-store.ts';
import { readInventoryText } from './read-inventory.ts';

const usage = `usage: npm run lint:inventory -- [--against-store] [--inventory FILE] [--prefix PREFIX]

Says every mistake of the inventory. With --against-store also which certificates that the webhook or discovery have
registered it would not allow any more, and the lines that allow them: run it before an upgrade, and before you take
something out of the inventory. It changes nothing.

  --against-store      read what is stored in AWS Secrets Manager: region, credentials and endpoint as the AWS CLI has
                       them (AWS_REGION, AWS_PROFILE, …), with the rights ListSecrets, and DescribeSecret and
                       GetSecretValue on PREFIX/*
  --inventory FILE     infra/certificates.yaml where it is left out
  --prefix PREFIX      first part of the names of AWS secrets; CERTRELAY_PREFIX where it is left out. With either, names
                       under another prefix are mistakes; without, certrelay is what --against-store looks at
  --help               this text

Ends with 0 where all is well, 1 where there are mistakes or certificates that are not allowed, 2 where the call is wrong or
something could not be read.`;

/** Runs the command and returns its exit code. */
export async function lintInventory(args: readonly string[], ports: LintPorts): Promise<LintCode> {
  const { say, note, env } = ports;
  let options: {
    readonly file: string;
    readonly prefix?: string | undefined;
    readonly isAgainstStore: boolean;
  };
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        'against-store': { type: 'boolean' },
        inventory: { type: 'string' },
        prefix: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) {
      say(usage);
      return 0;
    }
    const { inventory: file = 'infra/certificates.yaml', prefix = env.CERTRELAY_PREFIX } = values;
    options = { file, prefix, isAgainstStore: values['against-store'] ?? false };
  } catch (error) {
    note(`${toError(error).message}\n\n${usage}`);
    return 2;
  }
  const { file, prefix, isAgainstStore } = options;
  let text: string;
  try {
    text = await readInventoryText(file);
  } catch (error) {
    note(toError(error).message);
    return 2;
  }
  const parsed = parseInventory(text, prefix);
  if ('problems' in parsed) {
    say(describeProblems(file, parsed.problems));
    return 1;
  }
  const { inventory } = parsed;
  const { length } = inventory.certificates;
  say(`${file}: ${length} certificate${length === 1 ? '' : 's'}, no mistake`);
  if (!isAgainstStore) return 0;
  // Read only now: an editor calls this command at every save.
  const { compareStore } = await import('./lint-store.ts');
  return compareStore(inventory, prefix ?? 'certrelay', ports);
}

if (isMainScript(import.meta)) {
  process.exitCode = await lintInventory(process.argv.slice(2), {
    connect: async (prefix) => {
      const { connectSecretsManager } = await import('../../lib/adapters/secrets-manager/connection.ts');
      return connectSecretsManager({ prefix, uuid: randomUUID });
    },
    say: (line) => console.log(line),
    note: (line) => console.error(line),
    env: process.env,
    now: () => new Date(),
  });
}
