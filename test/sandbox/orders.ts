// What another terminal can have done in a running sandbox: break something, mend it, and see what is broken.
import type { ControlOrders } from './control.ts';
import type { OperatedSandbox } from './operated.ts';
import { troubles } from './troubles.ts';

/** One line for each thing that can be broken. */
export function listTroubles(): readonly string[] {
  return Object.entries(troubles).map(([name, { what }]) => `${name.padEnd(14)} ${what}`);
}

/** Carries out orders one after the other. */
export function createOrders(sandbox: OperatedSandbox): ControlOrders {
  const broken = new Map<string, () => void | Promise<void>>();
  const carryOut = async ([word = '', ...names]: readonly string[]): Promise<string> => {
    if (word === 'broken') return describe(broken);
    const known = word === 'mend' && names[0] === 'all' ? [...broken.keys()] : names;
    if (known.length === 0 && names[0] !== 'all')
      throw new Error(`name what to ${word}:\n${listTroubles().join('\n')}`);
    const unknown = known.find((name) => !Object.hasOwn(troubles, name));
    if (unknown !== undefined) {
      throw new Error(
        `nothing is called ${JSON.stringify(unknown)}; there are:\n${listTroubles().join('\n')}`,
      );
    }
    for (const name of known) {
      const mend = broken.get(name);
      if (word === 'break') {
        // What broke before may have been cured by the product, or by hand: it is broken anew.
        broken.delete(name);
        await Promise.resolve(mend?.()).catch(() => undefined);
        const trouble = troubles[name];
        if (trouble) broken.set(name, await trouble.begin(sandbox));
      } else if (word === 'mend') {
        broken.delete(name);
        await mend?.();
      }
    }
    return describe(broken);
  };
  let last: Promise<unknown> = Promise.resolve();
  return (words) => {
    const next = last.then(() => carryOut(words));
    last = next.catch(() => undefined);
    return next;
  };
}

function describe(broken: ReadonlyMap<string, unknown>): string {
  const lines = [...broken.keys()].map((name) => `broken: ${name}: ${troubles[name]?.what ?? ''}`);
  return lines.length === 0 ? 'nothing is broken' : lines.join('\n');
}
