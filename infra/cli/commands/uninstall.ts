// `certrelay uninstall`: says how the installation is removed, and what stays.
import { oneLine } from '../../../lib/policy/bounds.ts';
import { removeCommand, setCommandPlace } from '../../../lib/policy/commands.ts';
import { findPrefixProblem } from '../../deploy/parameters.ts';
import { describeLeftovers, findAwsSecrets } from '../../deploy/uninstall.ts';
import { readInventory } from '../../inventory/read-inventory.ts';
import { textOf } from '../answer.ts';
import { isCheckout, showPath, showPaths, top } from '../checkout.ts';
import { canAsk, configFor, describeMissing } from '../connection.ts';
import type { RunCommand } from '../definitions.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { findInventory } from '../inventory-file.ts';
import { findPlace, stageOf } from '../place.ts';
import { printResult } from '../print.ts';
import type { CommandSession } from '../session.ts';

/** Runs it. It removes nothing: what is served must be moved first, and only a person knows when it is. */
export const run: RunCommand = async (session, _values, options) => {
  const { terminal } = session;
  const place = findPlace(options, terminal.env);
  const service = 'SECRETS_MANAGER';
  const config = await configFor(service, place, terminal.env);
  const { region } = config;
  const prefix = await findPrefix(session, options.prefix);
  const [secrets, inventory] = await Promise.all([
    canAsk(service, place, terminal.env)
      ? findAwsSecrets({ getAwsSdkV3Config: async () => config }, prefix)
      : describeMissing(service),
    readOwn(terminal.env, prefix).catch(() => undefined),
  ]);
  session.signal.throwIfAborted();
  setCommandPlace({ stage: stageOf(place), region });
  const where = isCheckout ? showPath(top, terminal.cwd) : 'a checkout';
  const steps = [
    `Nothing is removed by this command. The stack, with its functions and queues, goes ${where === '.' ? 'by' : `in ${where} by`}:`,
    `    ${removeCommand()}`,
  ];
  const left = describeLeftovers({ prefix, region, secrets, inventory });
  const stays = left.map((line) => showPaths(line, terminal.cwd));
  const lines = [...steps, ...stays];
  await printResult(session, {
    data: { remove: removeCommand(), stays },
    text: () => lines.map((line) => `${line}\n`).join(''),
    names: [],
  });
  return exitCodes.fine;
};

async function readOwn(env: Readonly<Record<string, string | undefined>>, prefix: string) {
  return readInventory(findInventory(undefined, env), prefix);
}

/** As given; else what `status` says. */
async function findPrefix(session: CommandSession, given: unknown): Promise<string> {
  if (typeof given === 'string') {
    const problem = findPrefixProblem(given);
    if (problem === undefined) return given;
    throw new CommandError('usage', `--prefix ${JSON.stringify(oneLine(given, 80))} ${problem}`);
  }
  const status = await session.call('status', {}, { isRead: true });
  const prefix = textOf(status, 'installation');
  if (prefix !== '') return prefix;
  throw new CommandError(
    'failed',
    'status did not say the prefix of AWS secrets: give it, as in --prefix certrelay',
  );
}
