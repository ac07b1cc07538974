// What the retire story works with, and what it reports of one certificate.
import type { Inventory } from '../certificate/spec.ts';
import type { TargetEnd } from '../policy/retirement/targets.ts';
import type { Clock } from '../ports/clock.ts';
import { CertrelayError, describeError } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { IssueQueue } from '../ports/queues.ts';
import type { RetirementStore } from '../ports/retirement.ts';
import type { CertificateStore } from '../ports/store.ts';

/** The ports of the retire story. */
export interface RetirePorts {
  readonly store: Pick<CertificateStore, 'list' | 'describe' | 'read' | 'record'>;
  readonly retirements: Pick<RetirementStore, 'listDeleted' | 'findDeleted' | 'restore'>;
  /** Has `issue` begin at once; the schedule would find it too. */
  readonly queue: IssueQueue;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

/** The ports of one name: `refuse` makes the error for a name that nobody knows. */
export interface NamePorts extends RetirePorts {
  readonly refuse: (name: string) => Promise<Error>;
}

/** Why a person's wish is refused. `InInventory`: the inventory still has the certificate. `NotLetGo`: there
 *  is nothing to restore. */
export type RetireErrorCode = 'InInventory' | 'NotLetGo';

/** A person's wish that is refused. */
export class RetireError extends CertrelayError<RetireErrorCode> {}

/** One call: the inventory, its id for messages, and its time limit. */
export interface RetireInvocation {
  readonly id: string;
  readonly inventory: Inventory;
  readonly signal: AbortSignal;
}

/** One certificate of the report. `retiring`: it is being let go. `retired`: its AWS secret is in its
 *  recovery window. `restored`: it stays after all. `planned`: dry run. `unchanged`: it was so before. */
export interface RetiredCertificate {
  readonly name: string;
  readonly outcome: 'retiring' | 'retired' | 'restored' | 'planned' | 'unchanged';
  /** One line: who said so and when, what is waited for, and what is next. */
  readonly message: string;
  /** What becomes of each target. Absent if nobody knows its targets. Of one that was in the inventory
   *  file, the first ones that held it. */
  readonly targets?: readonly TargetEnd[];
  /** Until when it can be restored; at the latest, if its AWS secret is not scheduled for deletion yet.
   *  Absent while a revocation fails: it stays until that is done. */
  readonly until?: Date;
}

/** Has `issue` begin with the certificate now. What could not be sent is in the log, and the schedule finds
 *  it. */
export async function callIssue(
  name: string,
  { queue, log }: RetirePorts,
  { id, signal }: RetireInvocation,
): Promise<void> {
  try {
    await queue.send([name], id, {}, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn('request to issue not sent', { certificate: name, problem: describeError(error) });
  }
}
