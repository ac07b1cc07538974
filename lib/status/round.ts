// The types of one pass of `status`: what was found, and what changed.
import type { HealthNote } from '../state/health.ts';
import type { PlannedChange } from './changes.ts';
import type { StatusInvocation, StatusPorts } from './invocation.ts';
import type { Judge, StatusFacts } from './judge.ts';
import type { JudgedHealth } from './report.ts';

/** A change, what was noted before, and where that is kept: on the certificate's tags, or with the notes of
 *  `status`. */
export interface NotedChange extends PlannedChange {
  readonly before: HealthNote | undefined;
  readonly place: 'tags' | 'notes';
  /** Whether the notes take it over from a tag, which is removed then. */
  readonly isMoved?: boolean;
}

/** What one full pass of `status` has found and works with. */
export interface StatusRound {
  readonly judged: JudgedHealth;
  readonly judge: Judge;
  readonly facts: StatusFacts;
  readonly ports: StatusPorts;
  readonly invocation: StatusInvocation;
}
