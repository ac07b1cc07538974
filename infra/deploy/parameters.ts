// Checks the parameters of a deploy before anything is built: each must be one that serverless.yml reads,
// with a value that it can have.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { oneLine } from '../../lib/policy/bounds.ts';
import { findNearest } from '../../lib/policy/nearest.ts';
import { findZoneProblem } from '../template/permissions.ts';
import { checkRate } from '../template/rates.ts';

/** A parameter as given, and where: `--param`, or a part of `params` in serverless.yml. */
export interface GivenParameter {
  readonly name: string;
  /** `undefined` for a list or a mapping, which no parameter is. */
  readonly value: string | undefined;
  readonly from: '--param' | `params.${string}`;
}

/** Names of the parameters that a service reads: each `${param:…}` in its configuration file and in the
 *  YAML files that this includes. @throws Error if one of the files does not exist. */
export function readKnownParameters(serviceDir: string, configurationFile: string): ReadonlySet<string> {
  const read = new Set<string>();
  const names = new Set<string>();
  const follow = (file: string): void => {
    if (read.has(file)) return;
    read.add(file);
    const text = readFileSync(join(serviceDir, file), 'utf8').replaceAll(/(^|\s)#.*$/gm, '');
    for (const [, name = ''] of text.matchAll(/\$\{param:([^,}\s]+)/g)) names.add(name);
    for (const [, included = ''] of text.matchAll(/\$\{file\(([^()$]+\.ya?ml)\)/g)) follow(included);
  };
  follow(configurationFile);
  return names;
}

/** The parameters of a deploy as osls takes them: those of the command line, then those of the stage, then
 *  the defaults. Parameters without a value are absent.
 *  @param params `params` of serverless.yml.
 *  @param options Values of `--param`, each `name=value`. */
export function collectParameters(
  params: Readonly<Record<string, unknown>>,
  stage: string,
  options: readonly string[],
): readonly GivenParameter[] {
  const given = options.map((text): GivenParameter => {
    const [name = '', ...rest] = text.split('=');
    return { name, value: rest.join('='), from: '--param' };
  });
  const configured = [stage, 'default'].flatMap((part) =>
    Object.entries(Object(params[part])).flatMap(([name, value]): readonly GivenParameter[] =>
      value === null || value === undefined
        ? []
        : [{ name, value: readScalar(value), from: `params.${part}` }],
    ),
  );
  return [...given, ...configured];
}

/** The value of a parameter that counts: a later `--param` before an earlier one, then that of the stage,
 *  then the default. `undefined` if it is absent or empty. */
export function countingValue(given: readonly GivenParameter[], name: string): string | undefined {
  const named = given.filter((one) => one.name === name);
  const counting = named.findLast(({ from }) => from === '--param') ?? named[0];
  return counting?.value === '' ? undefined : counting?.value;
}

/** One sentence for each unknown name and each value that a parameter cannot have. Values that are still
 *  variables (`${…}`) are not looked at. */
export function findParameterProblems(
  given: readonly GivenParameter[],
  known: ReadonlySet<string>,
): readonly string[] {
  return given.flatMap(({ name, value, from }) => {
    if (!known.has(name)) return [describeUnknown(name, from, known)];
    const problem = findValueProblem(name, value);
    return problem === undefined ? [] : [`${name} (${from}): ${show(value)} ${problem}`];
  });
}

/** One sentence that a name is no parameter, with the nearest one. `from`: where it was given. */
export function describeUnknown(name: string, from: string, known: ReadonlySet<string>): string {
  const nearest = findNearest(name, known);
  const advice =
    nearest === undefined
      ? `the parameters are ${[...known].toSorted().join(', ')}`
      : `did you mean ${nearest}?`;
  return `${show(name)} (${from}) is not a parameter; ${advice}`;
}

function readScalar(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

function findValueProblem(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return 'must be one text or number';
  if (value.includes('${')) return undefined;
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value)) return 'must be one line without control characters';
  return Object.hasOwn(checks, name) ? checks[name]?.(value) : undefined;
}

/** A value for a message: one line, at most 80 characters, in quotes. */
function show(value: string | undefined): string {
  return value === undefined ? 'a list or mapping' : JSON.stringify(oneLine(value, 80));
}

type Check = (value: string) => string | undefined;

/** What each parameter can be. The checks return what is wrong, as the end of a sentence that begins with the
 *  value. A parameter without an entry may be any text in one line. */
export const checks: Readonly<Record<string, Check>> = {
  prefix: findPrefixProblem,
  issueRate: checkRate,
  deployRate: checkRate,
  probeRate: checkRate,
  statusRate: checkRate,
  discoverRate: (value) => (value === '' ? undefined : checkRate(value)),
  staleAfterMinutes: wholeNumber(1, 100_000),
  // What AWS takes for an event source mapping.
  maximumConcurrency: wholeNumber(2, 1000),
  reservedConcurrency: (value) => (value === '' ? undefined : wholeNumber(0, 100_000)(value)),
  logLevel: oneOf('debug', 'info', 'warn', 'error'),
  logRetentionDays: (value) =>
    retentions.includes(Number(value)) ? undefined : `must be one of ${retentions.join(', ')}`,
  webhookSecret: oneOf('made', 'kept'),
  lastingRecords: oneOf('auto', 'used', 'kept'),
  acmImports: oneOf('new', 'tagged'),
  accessLog: oneOf('kept', 'none'),
  moved: oneOf('yes', 'no'),
  forget: matching(
    /^[A-Za-z]+(, ?[A-Za-z]+)*$/,
    'must be names of parameters, such as logLevel,hostedZones, or all',
  ),
  hostedZones: findZoneProblem,
  eventBus: matching(/^([\w./-]{1,256})?$/, 'must be the name of an EventBridge bus, such as default'),
  alarmTopic: matching(
    /^(none|arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256})?$/,
    'must be the ARN of an SNS topic, as `aws sns list-topics` shows it, or none',
  ),
  alarmEmail: matching(
    /^(none|[^\s@<>"(),;:\\]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+)?$/,
    'must be one mail address, such as ops@example.com, or none',
  ),
};

/** What is wrong with the first part of the names of AWS secrets, as the end of a sentence that begins with
 *  it. */
export function findPrefixProblem(value: string): string | undefined {
  return /^[\w+=.@-]+(\/[\w+=.@-]+)*$/.test(value) && value.length <= 128
    ? undefined
    : 'must be the start of AWS secret names: at most 128 letters, digits and /_+=.@-, with no slash at the end';
}

/** Days that CloudWatch Logs can keep logs for. */
const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

function oneOf(...values: readonly string[]): Check {
  return (value) => (values.includes(value) ? undefined : `must be one of ${values.join(', ')}`);
}

function matching(pattern: RegExp, problem: string): Check {
  return (value) => (pattern.test(value) ? undefined : problem);
}

function wholeNumber(least: number, most: number): Check {
  return (value) =>
    /^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`;
}
