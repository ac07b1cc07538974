// Begins an invocation: settings, inventory, log, clock, and signals made from the remaining time.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { fillPrefix, readPackaged } from '../../lib/inventory/prefix.ts';
import { setCommandPlace } from '../../lib/policy/commands.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { ConfigError } from '../../lib/ports/errors.ts';
import type { Log } from '../../lib/ports/log.ts';
import { readSettings, type Settings } from '../../lib/settings/functions.ts';
import { createLog } from './logger.ts';

/** The part of Lambda's context that Certrelay uses. */
export interface Context {
  readonly awsRequestId: string;
  /** ARN by which the function was called. */
  readonly invokedFunctionArn?: string;
  getRemainingTimeInMillis(): number;
}

/** One call of a function: its settings, inventory, log and time. */
export interface Invocation {
  readonly id: string;
  /** ARN of the function, as it was called; absent outside of Lambda. */
  readonly functionArn?: string | undefined;
  readonly settings: Settings;
  readonly inventory: Inventory;
  readonly log: Log;
  readonly clock: Clock;
  /** Lambda ends the invocation at this instant. */
  readonly deadline: Date;
  /** When `signal` ends the work: after three quarters of the time, or 20 s before the end of a long
   *  invocation. */
  readonly workUntil: Date;
  readonly signal: AbortSignal;
  /** Ends the clean-up, shortly before the deadline. */
  readonly cleanUpSignal: AbortSignal;
}

/** Reads settings and inventory. @throws ConfigError with every mistake. */
export async function beginInvocation(context: Context): Promise<Invocation> {
  // First of all: Lambda's clock is already running.
  const remainingMs = context.getRemainingTimeInMillis();
  const now = Date.now();
  const cleanUpMs = Math.floor(remainingMs - Math.min(1_000, remainingMs / 10));
  const workMs = Math.floor(remainingMs - Math.min(20_000, remainingMs / 4));
  const signal = AbortSignal.timeout(Math.max(0, workMs));
  const cleanUpSignal = AbortSignal.timeout(Math.max(0, cleanUpMs));
  const settings = readSettings(process.env);
  setCommandPlace(settings);
  return {
    id: context.awsRequestId,
    functionArn: context.invokedFunctionArn,
    settings,
    inventory: await readInventory(settings),
    log: createLog(settings.logLevel, context.awsRequestId),
    clock: systemClock,
    deadline: new Date(now + remainingMs),
    workUntil: new Date(now + workMs),
    signal,
    cleanUpSignal,
  };
}

/** The real time. */
export const systemClock: Clock = {
  now: () => new Date(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, { signal });
    } catch {
      // Node rejects with its own AbortError; the clock port promises the signal's reason.
      signal.throwIfAborted();
    }
  },
  after(ms, act) {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
  timeout: (ms) => AbortSignal.timeout(ms),
};

/** The packaged inventory, parsed and checked by the build; or the file that CERTRELAY_INVENTORY names. */
async function readInventory({ inventoryPath, prefix }: Settings): Promise<Inventory> {
  if (inventoryPath === undefined) {
    return readPackaged(await readFile(join(import.meta.dirname, 'certificates.json'), 'utf8'), prefix);
  }
  let text: string;
  try {
    text = await readFile(inventoryPath, 'utf8');
  } catch (cause) {
    const message = `the inventory ${inventoryPath} cannot be read; CERTRELAY_INVENTORY must be the path of a file`;
    throw new ConfigError('Inventory', message, { cause });
  }
  if (text === lastInventory?.text) return lastInventory.inventory;
  const [{ parseInventory }, { describeProblems }] = await Promise.all([
    import('../../lib/inventory/inventory.ts'),
    import('../../lib/inventory/problems.ts'),
  ]);
  const parsed = parseInventory(text);
  if ('problems' in parsed)
    throw new ConfigError('Inventory', describeProblems(inventoryPath, parsed.problems));
  const inventory = fillPrefix(parsed.inventory, prefix);
  lastInventory = { text, inventory };
  return inventory;
}

// A process that is called again reads the file again, but parses only what has changed.
let lastInventory: { readonly text: string; readonly inventory: Inventory } | undefined;
