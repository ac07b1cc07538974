// The command with which a person looks closer after a call that failed.
import { certificateNamePattern } from '../../lib/certificate/certificate-name.ts';
import { type CalledFunction, invokeCommand } from '../../lib/policy/commands.ts';
import type { CallFailure } from './failures.ts';

/** How a function shows more without doing anything: by a dry run, by the same call, or not at all, so that
 *  `status` does; `list` is all of it, because what was to be imported need not be there yet. */
const looks: Readonly<Record<CalledFunction, 'dry run' | 'again' | 'status' | 'list'>> = {
  issue: 'dry run',
  deploy: 'dry run',
  discover: 'dry run',
  probe: 'again',
  status: 'again',
  export: 'again',
  import: 'list',
  revoke: 'status',
  pause: 'status',
  notify: 'status',
  retire: 'dry run',
  dashboard: 'status',
};

/** Names in one command; with more of them it asks for everything. */
const mostNamed = 20;

/** A command that shows the whole report of what failed and changes nothing. `undefined` if the call itself
 *  was wrong. */
export function lookCommand(name: CalledFunction, failures: readonly CallFailure[]): string | undefined {
  if (failures.some(({ code }) => mistakes.includes(code))) return undefined;
  const known = failures.filter(({ code }) => code !== 'Unknown');
  // Which names there are; an error that knows a nearer command has it.
  if (known.length === 0)
    return failures.some(({ command }) => command) ? undefined : invokeCommand('status');
  const look = looks[name];
  if (look === 'list') return invokeCommand('status');
  const called = look === 'status' ? 'status' : name;
  const dryRun = look === 'dry run' ? { dryRun: true } : {};
  // What is of no part is told by the function's name.
  const parts = known.map(({ what }) => what).filter((what) => what !== name);
  return invokeCommand(called, { ...selectFailed(called, parts), ...dryRun, report: true });
}

/** Codes of mistakes in what a person wrote: the same call fails again. */
const mistakes = ['Event', 'Settings', 'Inventory'];

/** Fields of an event that select what failed. */
function selectFailed(
  name: CalledFunction,
  failed: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  const parts = [...new Set(failed)];
  const targets = parts.filter((part) => /^[^/]+\/[^/]+\/[^/]+$/.test(part));
  const certificates = parts.filter((part) => certificateNamePattern.test(part));
  const fits = (list: readonly string[]) => list.length > 0 && list.length <= mostNamed;
  if (name === 'discover' || parts.length !== targets.length + certificates.length) return {};
  if (name === 'deploy' && fits(targets)) return { targets };
  return fits(certificates) ? { certificates } : {};
}
