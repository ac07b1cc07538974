// `certrelay lint`: says every mistake of an inventory.
import { randomUUID } from 'node:crypto';
import { lintInventory } from '../../lint-inventory.ts';
import type { RunCommand } from '../definitions.ts';
import { exitCodes } from '../errors.ts';
import { findInventory } from '../inventory-file.ts';
import { defaultRegion, findPlace } from '../place.ts';

/** Runs it. With `--against-store` it reads AWS Secrets Manager with the caller's own rights. */
export const run: RunCommand = async (session, [file], { againstStore, prefix }) => {
  const { terminal, options } = session;
  const region = findPlace(options, terminal.env).region ?? defaultRegion;
  const args = [
    '--inventory',
    findInventory(file, terminal.env),
    ...(againstStore ? ['--against-store'] : []),
    ...(typeof prefix === 'string' ? ['--prefix', prefix] : []),
  ];
  const code = await lintInventory(args, {
    connect: async (name) => {
      const { connectSecretsManager } = await import('../../../lib/adapters/secrets-manager/connection.ts');
      return connectSecretsManager({ prefix: name, uuid: randomUUID, config: { region } });
    },
    say: (line) => terminal.out.write(`${line}\n`),
    note: (line) => terminal.err.write(`${line}\n`),
    env: terminal.env,
    now: () => terminal.now(),
  });
  return code === 0 ? exitCodes.fine : code === 1 ? exitCodes.failed : exitCodes.usage;
};
