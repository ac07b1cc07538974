// Says at once everything that keeps a deploy from going on, so that whoever installs stops once.
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { describeProblems } from '../../lib/inventory/problems.ts';
import { deployStackCommand, setCommandPlace } from '../../lib/policy/commands.ts';
import { toError } from '../../lib/ports/errors.ts';
import { readInventoryText } from '../inventory/read-inventory.ts';
import { findKeyProblems } from './kms-key.ts';
import { findNoticeProblems, type NoticeParameters } from './notice-parameters.ts';

/** A deploy that is refused. */
export interface RefusedDeploy {
  /** What was found so far, one text each. */
  readonly problems: readonly string[];
  readonly stage: string;
  /** Absent: nobody said one. */
  readonly region: string | undefined;
  /** Absent: not known yet. */
  readonly prefix: string | undefined;
  readonly notices: NoticeParameters;
  /** Path of the inventory. */
  readonly inventory: string;
}

/** The problems, then those of the inventory, which a later step would stop at, then the command. Never
 *  throws. */
export async function refuseAtOnce(deploy: RefusedDeploy): Promise<string> {
  const { problems, stage, region } = deploy;
  const all = [...problems, ...(await findInventoryProblems(deploy))];
  if (all.length < 2) return all.join('\n');
  setCommandPlace({ stage, region });
  const command = deployStackCommand();
  const place = region === undefined ? ' --region <region>' : '';
  return [
    ...all.map((problem, index) => `${index + 1}. ${problem.replaceAll('\n', '\n   ')}`),
    'Once all of that is so, with the parameters of this one:',
    `  ${command}${place}`,
  ].join('\n');
}

async function findInventoryProblems({
  inventory: file,
  prefix,
  region,
  notices,
}: RefusedDeploy): Promise<readonly string[]> {
  try {
    const parsed = parseInventory(await readInventoryText(file), prefix);
    if ('problems' in parsed) return [describeProblems('infra/certificates.yaml', parsed.problems)];
    const keys = region === undefined ? [] : findKeyProblems(parsed.inventory, region);
    return [...findNoticeProblems(notices, parsed.inventory), ...keys];
  } catch (error) {
    return [toError(error).message];
  }
}
