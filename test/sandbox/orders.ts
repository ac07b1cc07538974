// What another terminal can have done in a running sandbox: break something, mend it, and see what is broken.
import type { ControlOrders } from './control.ts';
import type { OperatedSandbox } from './operated.ts';
import type { Breakage } from './troubles/trouble.ts';
import { troubles } from './troubles.ts';

/** One line for each thing that can be broken. */
export function listTroubles(): readonly string[] {
  const width = Math.max(...Object.keys(troubles).map((name) => name.length));
  return Object.entries(troubles).map(([name, { what }]) => `${name.padEnd(width)}  ${what}`);
}

type Broken = Map<string, Breakage>;

/** Carries out orders one after the other. */
export function createOrders(sandbox: OperatedSandbox): ControlOrders {
  const broken: Broken = new Map();
  const carryOut = async ([word = '', ...names]: readonly string[]): Promise<string> => {
    if (word === 'broken') {
      if (names.length > 0) throw new Error('broken takes no names: it lists everything that is broken');
      return describe(broken);
    }
    const isAll = names.length === 1 && names[0] === 'all' && word === 'mend';
    const known = isAll ? [...broken.keys()] : [...new Set(names)];
    checkNames(word, known, isAll);
    const { said, problems } = await (word === 'break'
      ? breakAll(sandbox, broken, known)
      : mendAll(broken, known));
    const answer = [...said, describe(broken)].join('\n');
    if (problems.length > 0) throw new Error([...problems, answer].join('\n'));
    return answer;
  };
  let last: Promise<unknown> = Promise.resolve();
  return (words) => {
    const next = last.then(() => carryOut(words));
    last = next.catch(() => undefined);
    return next;
  };
}

/** @throws Error before anything is done. */
function checkNames(word: string, names: readonly string[], isAll: boolean): void {
  const there = listTroubles().join('\n');
  if (names.length === 0 && !isAll) {
    const all = word === 'mend' ? ', or all' : '';
    throw new Error(`name what to ${word}${all}:\n${there}`);
  }
  const unknown = names.find((name) => !Object.hasOwn(troubles, name));
  if (unknown === 'all') {
    const how = word === 'mend' ? 'say all alone' : 'all is for mend: name what to break';
    throw new Error(`${how}; there are:\n${there}`);
  }
  if (unknown !== undefined)
    throw new Error(`nothing is called ${JSON.stringify(unknown)}; there are:\n${there}`);
}

/** What was done, one line each, and what could not be. */
interface OrderResult {
  readonly said: readonly string[];
  readonly problems: readonly string[];
}

/** Breaks each, whatever becomes of the others. What broke before may have been cured by functions, or by
 *  hand: it is broken anew. */
async function breakAll(
  sandbox: OperatedSandbox,
  broken: Broken,
  names: readonly string[],
): Promise<OrderResult> {
  const problems: string[] = [];
  for (const name of names) {
    const before = broken.get(name);
    try {
      if (before && isThere(before)) await before.mend();
      broken.delete(name);
      const breakage = await troubles[name]?.begin(sandbox);
      if (breakage) broken.set(name, breakage);
    } catch (error) {
      problems.push(`${name} could not be broken: ${wordsOf(error)}`);
    }
  }
  return { said: [], problems };
}

/** Mends each, whatever becomes of the others. One that another one keeps from being mended is tried again
 *  after it. */
async function mendAll(broken: Broken, names: readonly string[]): Promise<OrderResult> {
  const said: string[] = [];
  let waiting = names;
  let problems: readonly string[] = [];
  for (let left = Number.POSITIVE_INFINITY; waiting.length > 0 && waiting.length < left; ) {
    left = waiting.length;
    const failed: { readonly name: string; readonly problem: string }[] = [];
    for (const name of waiting) {
      try {
        said.push(await mendOne(broken, name));
      } catch (error) {
        failed.push({ name, problem: `${name} could not be mended: ${wordsOf(error)}` });
      }
    }
    waiting = failed.map(({ name }) => name);
    problems = failed.map(({ problem }) => problem);
  }
  return { said, problems };
}

async function mendOne(broken: Broken, name: string): Promise<string> {
  const breakage = broken.get(name);
  if (!breakage) return `not broken: ${name}`;
  const isCured = !isThere(breakage);
  if (!isCured) await breakage.mend();
  broken.delete(name);
  return isCured ? `cured already: ${name}` : `mended: ${name}`;
}

/** What cannot be looked at, such as an inventory that somebody has spoilt, is not cured. */
function isThere(breakage: Breakage): boolean {
  try {
    return breakage.isThere?.() ?? true;
  } catch {
    return true;
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What is broken still. What was cured is forgotten. */
function describe(broken: Broken): string {
  for (const [name, breakage] of broken) if (!isThere(breakage)) broken.delete(name);
  const lines = [...broken.keys()].map((name) => `broken: ${name}: ${troubles[name]?.what ?? ''}`);
  return lines.length === 0 ? 'nothing is broken' : lines.join('\n');
}
