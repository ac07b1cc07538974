// Keeps what an earlier deploy was given by `--param` alone: the template remembers it, and the next deploy
// has it until somebody says something else.
import * as z from 'zod';
import { countingValue, describeUnknown, findParameterProblems, type GivenParameter } from './parameters.ts';

/** A parameter that was given by `--param`. `instead`: what serverless.yml said then; empty: nothing. */
export interface RememberedParameter {
  readonly value: string;
  readonly instead: string;
}

/** What a template remembers, by the parameter's name. */
export type RememberedParameters = Readonly<Record<string, RememberedParameter>>;

/** What a deploy does about parameters. */
export interface KeptParameters {
  /** The values that count, of the deployed stack. */
  readonly kept: Readonly<Record<string, string>>;
  /** What the template remembers for the next deploy. */
  readonly remembered: RememberedParameters;
  /** What is not kept, or will not be: one sentence each. */
  readonly problems: readonly string[];
}

/** Parameters that this does not keep: a deploy keeps these in other ways, or means them once. */
const others: ReadonlySet<string> = new Set([
  'prefix',
  'moved',
  'forget',
  'eventBus',
  'alarmEmail',
  'alarmTopic',
]);

/** What a deploy keeps. A parameter is kept until it is given again, `forget` names it (or says `all`), or
 *  serverless.yml says something else than when it was given.
 *  @param known Names that the service reads. */
export function keepParameters(
  given: readonly GivenParameter[],
  deployed: RememberedParameters,
  known: ReadonlySet<string>,
): KeptParameters {
  const forgotten = new Set(namesToForget(given));
  const fromFile = given.filter(({ from }) => from !== '--param');
  const kept: Record<string, string> = {};
  const remembered: Record<string, RememberedParameter> = {};
  const problems: string[] = [];
  for (const name of new Set([...Object.keys(deployed), ...given.map((one) => one.name)])) {
    if (others.has(name)) continue;
    const instead = countingValue(fromFile, name) ?? '';
    const said = given.findLast((one) => one.name === name && one.from === '--param')?.value;
    const before = Object.hasOwn(deployed, name) ? deployed[name] : undefined;
    if (said !== undefined) {
      if (isVariable(said)) problems.push(`the next deploy will not have ${name}: it is given as a variable`);
      else if (said !== instead) remembered[name] = { value: said, instead };
    } else if (before && !forgotten.has('all') && !forgotten.has(name)) {
      const loss = findLoss(name, before, { instead, known });
      if (loss !== undefined) problems.push(...loss);
      else {
        kept[name] = before.value;
        remembered[name] = before;
      }
    }
  }
  return { kept, remembered, problems };
}

/** Why a remembered parameter is not kept, which is nothing to tell if serverless.yml says the same now.
 *  `undefined` if it is kept. */
function findLoss(
  name: string,
  { value, instead: then }: RememberedParameter,
  { instead, known }: { readonly instead: string; readonly known: ReadonlySet<string> },
): readonly string[] | undefined {
  // Whoever may change the stack's metadata could read the environment of a deploy by a variable.
  if (isVariable(value)) return [`not kept from the deployed stack: ${name}, which is a variable there`];
  const wrong = findParameterProblems([{ name, value, from: '--param' }], known);
  if (wrong.length > 0) return wrong.map((problem) => `not kept from the deployed stack: ${problem}`);
  if (then === instead) return undefined;
  if (value === instead) return [];
  const now = instead === '' ? 'nothing' : instead;
  return [
    `no longer kept: ${name}=${value}, because serverless.yml says ${now} now; to have it again: --param="${name}=${value}"`,
  ];
}

/** One sentence for each name of `forget` that no deploy keeps in this way. */
export function findForgetProblems(
  given: readonly GivenParameter[],
  known: ReadonlySet<string>,
): readonly string[] {
  const names = [...known].filter((name) => !others.has(name));
  return namesToForget(given)
    .filter((name) => name !== 'all' && !names.includes(name))
    .map((name) =>
      others.has(name)
        ? `forget: ${name} is kept in another way; give it again instead`
        : describeUnknown(name, 'forget', new Set(names)),
    );
}

function namesToForget(given: readonly GivenParameter[]): readonly string[] {
  const text = countingValue(given, 'forget') ?? '';
  return text.split(',').flatMap((name) => name.trim() || []);
}

/** Whether osls would put something else in its place. */
function isVariable(value: string): boolean {
  return value.includes('${');
}

/** One line that says which parameters are kept; none if none are. */
export function describeKept(kept: Readonly<Record<string, string>>): readonly string[] {
  const names = Object.keys(kept).filter((name) => kept[name] !== '');
  const [first] = names.filter((name) => !others.has(name));
  if (names.length === 0) return [];
  const values = names.map((name) => `${name}=${kept[name]}`).join(', ');
  const end = first === undefined ? '' : `, or end one with --param="forget=${first}"`;
  return [
    `Kept from the deployed stack, because this deploy does not say it: ${values}. Write it into serverless.yml${end}.`,
  ];
}

const metadataKey = 'Certrelay';
const shape = z.object({
  [metadataKey]: z.object({
    parameters: z.record(z.string(), z.object({ value: z.string(), instead: z.string() })),
  }),
});

/** The metadata of a template that remembers. */
export function writeRemembered(parameters: RememberedParameters): Readonly<Record<string, unknown>> {
  return { [metadataKey]: { parameters } };
}

/** What the metadata of a template remembers; of one that an earlier version made, nothing. */
export function readRemembered(metadata: unknown): RememberedParameters {
  const { data } = shape.safeParse(metadata);
  return data?.[metadataKey].parameters ?? {};
}
