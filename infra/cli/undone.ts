// What a person asked for by name and did not happen: a script that goes on after a command must see it.
import { invokeCommand, workloadsCommand } from '../../lib/policy/commands.ts';
import { type AnswerFields, listOf, textOf, timeOf } from './answer.ts';
import type { DeliveryRow } from './delivery-rows.ts';
import { type ExitCode, exitCodes } from './errors.ts';
import { endingOf } from './orders.ts';
import { placeCommands } from './place.ts';
import { codeOfFailures, suggest } from './print.ts';
import type { CommandSession } from './session.ts';

/** What did not happen, by the commands with which a person goes on. */
export interface Undone {
  readonly certificate: string;
  /** Made once it is known which installation commands are for. */
  readonly command: () => string;
}

/** Certificates of a report of `issue` whose order was asked for, is due, and has not been made. Behind a
 *  pause that ends by itself it waits for a time that a person has set, which only force means to come
 *  before. Of one that is let go its end was asked for; only force means an order. */
export function findUndoneOrders(
  report: AnswerFields,
  { isForced }: { readonly isForced: boolean },
): readonly Undone[] {
  return listOf(report, 'certificates').flatMap((line): readonly Undone[] => {
    const certificate = textOf(line, 'name');
    const ending = endingOf(line);
    if (['issued', 'kept', 'keep'].includes(ending)) return [];
    // What is being let go is called for its revocation and its end.
    if (textOf(line, 'reason') === 'Retiring' && !isForced)
      return ending === 'retired' ? [] : [look(certificate)];
    if (!isForced && textOf(line, 'reason') === 'Paused' && timeOf(line, 'until')) return [];
    return [{ certificate, command: () => commandAfter(certificate, textOf(line, 'reason')) }];
  });
}

function look(certificate: string): Undone {
  return { certificate, command: () => invokeCommand('status', { certificates: [certificate] }) };
}

function commandAfter(certificate: string, reason: string): string {
  const certificates = [certificate];
  switch (reason) {
    case 'BackingOff':
      return invokeCommand('issue', { certificates, force: true });
    case 'Paused':
      return invokeCommand('pause', { certificates, resume: true });
    case 'PreflightFailed':
      return invokeCommand('issue', { certificates });
    case 'Retiring':
      return invokeCommand('retire', { restore: certificates });
    default:
      return invokeCommand('status', { certificates });
  }
}

/** Targets that have not got the version. One that waits for its maintenance window is no such. */
export function findUndoneDeliveries(rows: readonly DeliveryRow[]): readonly Undone[] {
  return rows.flatMap((row): readonly Undone[] => {
    const { certificate, outcome, reason } = row;
    const certificates = [certificate];
    const by = (...call: Parameters<typeof invokeCommand>) => [
      { certificate, command: () => invokeCommand(...call) },
    ];
    if (reason === 'NotIssued') return by('issue', { certificates });
    if (reason === 'Unused') return [look(certificate)];
    if (outcome === 'held') return by('deploy', { certificates, resume: true });
    if (outcome !== 'pending' && outcome !== 'refused') return [];
    const [rollout] = listRolloutCommands([row]);
    return [rollout === undefined ? look(certificate) : { certificate, command: () => rollout }];
  });
}

/** The commands that show the pods of targets which have the Secret and whose workloads do not run with it:
 *  a rollout goes on, waits, or has failed. */
export function listRolloutCommands(rows: readonly DeliveryRow[]): readonly string[] {
  return rows.flatMap(({ outcome, action, target }) => {
    const isOpen = outcome === 'pending' && secretActions.has(action);
    const command = isOpen ? workloadsCommand(target) : undefined;
    return command === undefined ? [] : [command];
  });
}

/** What was done to the Secret of a target that has it. */
const secretActions = new Set(['create', 'apply', 'replace', 'keep']);

/** Whether the failures of a report leave open how to go on: none of them names a command, nor a word that
 *  was typed wrong. */
export function leavesOpen(report: AnswerFields): boolean {
  const hasCommand = listOf(report, 'failures').some((one) => textOf(one, 'command') !== '');
  return !hasCommand && codeOfFailures(report) !== exitCodes.usage;
}

/** Says how to go on, unless the report's failures have said so, and returns the exit code. */
export function reportUndone(
  session: CommandSession,
  undone: readonly Undone[],
  report: AnswerFields,
): ExitCode {
  if (undone.length === 0 || !leavesOpen(report)) return codeOfFailures(report);
  placeCommands(session);
  suggest(
    session,
    undone.map(({ command }) => command()),
  );
  return exitCodes.failed;
}
