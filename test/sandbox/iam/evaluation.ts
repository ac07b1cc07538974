// Judges a request by the statements of an identity's policies, as IAM documents it ("Policy evaluation
// logic", "Condition operators"). What it does not know is an error, never a yes.
import { isMultivalued, knowsKey } from './condition-keys.ts';

/** One statement, with every intrinsic function resolved. All statements of this project allow. */
export interface Statement {
  readonly sid: string;
  readonly actions: readonly string[];
  /** ARN patterns with `*` and `?`. */
  readonly resources: readonly string[];
  /** Operator → condition key → values. */
  readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** What a request is judged by. */
export interface AccessRequest {
  /** `service:Action`. */
  readonly action: string;
  readonly resource: string;
  /** Condition keys that the service sends with the request; a key that it does not send is absent. */
  readonly conditions?: Readonly<Record<string, readonly string[]>>;
}

/** Whether some statement allows the request. Condition keys, and with them keys of tags, are compared
 *  without regard to case; their values are not. */
export function isAllowed(statements: readonly Statement[], request: AccessRequest): boolean {
  const sent = new Map(
    Object.entries(request.conditions ?? {})
      .filter(([, values]) => values.length > 0)
      .map(([key, values]) => [key.toLowerCase(), values]),
  );
  return statements.some(
    ({ actions, resources, conditions }) =>
      actions.some((action) => matches(action.toLowerCase(), request.action.toLowerCase())) &&
      resources.some((resource) => matchesArn(resource, request.resource)) &&
      Object.entries(conditions).every(([operator, keys]) =>
        Object.entries(keys).every(([key, values]) => holds(operator, sent.get(key.toLowerCase()), values)),
      ),
  );
}

/** @throws Error where a statement has an operator or a condition key that would not do what it seems to: one
 *  that is not known, one that the service does not send with each of its actions, a set operator for a key
 *  that has one value, or no value. */
export function checkStatement({ sid, actions, conditions }: Statement): void {
  for (const [operator, keys] of Object.entries(conditions)) {
    const { set, test } = readOperator(operator);
    for (const [key, values] of Object.entries(keys)) {
      if (values.length === 0) throw new Error(`statement ${sid}: ${operator} of ${key} has no value`);
      const unknown = actions.find((action) => !knowsKey(action, key));
      if (unknown !== undefined) throw new Error(`statement ${sid}: ${unknown} is not sent with ${key}`);
      if (test !== 'Null' && isMultivalued(key) !== (set !== undefined)) {
        throw new Error(`statement ${sid}: ${operator} does not fit ${key}`);
      }
    }
  }
}

type Test = (value: string, wanted: readonly string[]) => boolean;

const equals: Test = (value, wanted) => wanted.includes(value);
const like: Test = (value, wanted) => wanted.some((pattern) => matches(pattern, value));
const isNumber: Test = (value, wanted) => wanted.some((number) => Number(number) === Number(value));

/** The operators that are played. The negative ones hold for a key that is absent. */
const tests: Readonly<Record<string, { readonly test: Test; readonly negative: boolean }>> = {
  StringEquals: { test: equals, negative: false },
  StringNotEquals: { test: equals, negative: true },
  StringLike: { test: like, negative: false },
  StringNotLike: { test: like, negative: true },
  NumericEquals: { test: isNumber, negative: false },
};

interface Operator {
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined;
  readonly test: string;
  readonly ifExists: boolean;
}

function readOperator(text: string): Operator {
  const match = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(text);
  const [, set, test = '', ifExists] = match ?? [];
  const isKnown = test === 'Null' ? !set && !ifExists : tests[test] !== undefined;
  if (!isKnown) throw new Error(`a condition operator that the sandbox's IAM does not know: ${text}`);
  const kind = set === 'ForAllValues' || set === 'ForAnyValue' ? set : undefined;
  return { set: kind, test, ifExists: ifExists !== undefined };
}

/** Whether one condition holds for the values that a request carries. `ForAllValues` holds where there are
 *  none. */
function holds(operator: string, sent: readonly string[] | undefined, wanted: readonly string[]): boolean {
  const { set, test: name, ifExists } = readOperator(operator);
  if (name === 'Null') return wanted.includes(String(sent === undefined));
  const { test, negative } = tests[name] ?? fail(name);
  const one = (value: string) => test(value, wanted) !== negative;
  if (sent === undefined)
    return set === undefined ? ifExists || negative : ifExists || set === 'ForAllValues';
  return set === 'ForAnyValue' ? sent.some(one) : sent.every(one);
}

function fail(operator: string): never {
  throw new Error(`a condition operator that the sandbox's IAM does not know: ${operator}`);
}

/** An ARN's parts are matched one by one, so that no wildcard reaches over a colon before the resource's own
 *  name. */
function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*' || !pattern.startsWith('arn:') || !arn.startsWith('arn:')) return matches(pattern, arn);
  const [wanted, found] = [splitArn(pattern), splitArn(arn)];
  return wanted.length === found.length && wanted.every((part, index) => matches(part, found[index] ?? ''));
}

function splitArn(arn: string): readonly string[] {
  const parts = arn.split(':');
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
}

const patterns = new Map<string, RegExp>();

function matches(pattern: string, text: string): boolean {
  const known = patterns.get(pattern);
  if (known) return known.test(text);
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const made = new RegExp(`^${source}$`, 's');
  patterns.set(pattern, made);
  return made.test(text);
}
