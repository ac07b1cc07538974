// `certrelay lint`: says every mistake of an inventory.
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { lintInventory } from '../../inventory/lint-inventory.ts';
import { showPath } from '../checkout.ts';
import { canAsk, configFor, describeMissing } from '../connection.ts';
import type { RunCommand } from '../definitions.ts';
import { CommandError } from '../errors.ts';
import { findInventory } from '../inventory-file.ts';
import { findPlace } from '../place.ts';

/** Runs it, whose codes are exit codes. With `--against-store` it reads AWS Secrets Manager with the caller's
 *  own rights. */
export const run: RunCommand = async (session, [file], { againstStore, prefix }) => {
  const { terminal, options } = session;
  const place = findPlace(options, terminal.env);
  const service = 'SECRETS_MANAGER';
  if (againstStore && !canAsk(service, place, terminal.env))
    throw new CommandError('usage', describeMissing(service));
  const args = [
    '--inventory',
    typeof file === 'string' ? file : showPath(resolve(findInventory(undefined, terminal.env)), terminal.cwd),
    ...(againstStore ? ['--against-store'] : []),
    ...(typeof prefix === 'string' ? ['--prefix', prefix] : []),
  ];
  return lintInventory(args, {
    connect: async (name) => {
      const { connectSecretsManager } = await import('../../../lib/adapters/secrets-manager/connection.ts');
      const config = await configFor(service, place, terminal.env);
      return connectSecretsManager({ prefix: name, uuid: randomUUID, config });
    },
    say: (line) => terminal.out.write(`${line}\n`),
    note: (line) => terminal.err.write(`${line}\n`),
    env: terminal.env,
    now: () => terminal.now(),
  });
};
