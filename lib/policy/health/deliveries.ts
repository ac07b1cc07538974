// Checks of a certificate's health that are about its deliveries and what is served.
import type { CertificateState } from '../../state/state.ts';
import { targetsKey } from '../../state/targets.ts';
import { agentStateCommand, deployStackCommand, invokeCommand, logsCommand } from '../commands.ts';
import { isWithdrawn } from '../delivery/agents.ts';
import { freezeOf, isByHand } from '../delivery/freeze.ts';
import { findRetirement, isLetGo, judgeRetirement, type RetirementPart } from '../retirement/retirement.ts';
import { countOf } from '../words.ts';
import { clockSkewMs } from './agents.ts';
import { findUnlistedFailure } from './delivery-failures.ts';
import { findEndlessRestart, findForgotten } from './endless.ts';
import type { HealthFacts } from './facts.ts';
import { explain, type Finding } from './finding.ts';
import { heldSomewhere } from './holdings.ts';
import { describeEnd, isShort } from './margin.ts';
import { deployCommand, renewCommand } from './next-commands.ts';
import { probeOf } from './targets.ts';

/** How long a revocation may fail before a person must act, in milliseconds. */
const longestUnrevokedMs = 3_600_000;

/** How long after everybody was given up the AWS secret may still be there, in milliseconds. */
const longestEndMs = 86_400_000;

/** A certificate that nobody renews. `Degraded` if a target is known to hold it. */
export function findAbandoned(facts: HealthFacts): Finding | undefined {
  const { name, isAskedFor, state, entry, certificate, now } = facts;
  if (isAskedFor) return undefined;
  const isHeld = heldSomewhere(facts).length > 0;
  const isServed = probeOf(state.served, entry?.current)?.word === 'served';
  const end = certificate?.notAfter;
  const until = end && `; it ${end > now ? 'is ' : ''}${describeEnd(end, now)}`;
  const letGo = invokeCommand('retire', { certificates: [name], dryRun: true });
  const nobody = `nobody renews it: put it back into the inventory and deploy, or, if it is to go, let it go (${letGo}); it is neither in the inventory nor registered`;
  if (!isHeld && !isServed) {
    const message = `${nobody}, and no target is known to hold it`;
    return { health: 'Suspended', reason: 'Unused', message, command: letGo };
  }
  const message = `${nobody}, and ${describeHolders(facts)} at the last look${until ?? ''}`;
  return { health: 'Degraded', reason: 'Abandoned', message, command: deployStackCommand() };
}

/** Which targets are known to hold a certificate: the first by name, and a count. */
function describeHolders(facts: HealthFacts): string {
  const held = heldSomewhere(facts).length;
  const agents = Object.keys(facts.state.reports ?? {});
  const { deliveredTo = [] } = facts.state;
  const known = [...deliveredTo, ...agents.map((cluster) => `a Secret in cluster ${cluster}`)];
  if (known.length === 0) return held > 1 ? `${countOf(held, 'target')} held it` : 'a target held it';
  const more = Math.max(0, held - known.length);
  return `${known.join(', ')}${more > 0 ? ` and ${more} more` : ''} held it`;
}

/** A certificate that is being let go: nothing else is wrong with it. `Degraded` if that does not end. */
export function findRetiring(facts: HealthFacts): Finding | undefined {
  const { name, spec, state, entry, now } = facts;
  const retirement = findRetirement({ name, state }, { certificates: spec ? [spec] : [] });
  if (!retirement) return undefined;
  const version = state.version === undefined ? undefined : entry?.current;
  const progress = judgeRetirement(retirement, { state, version }, now);
  const { message, since, givesUpAt, waitsFor, unrevoked } = progress;
  if (unrevoked && now.getTime() - unrevoked.since.getTime() > longestUnrevokedMs) {
    const instead = invokeCommand('retire', { certificates: [name], revoke: false });
    const choice = `mend that, and issue revokes them; or let it go unrevoked: ${instead}`;
    const told = { message: `${message}; ${choice}`, since: unrevoked.since, command: renewCommand(name) };
    return { health: 'Degraded', reason: 'RevocationFailing', ...told };
  }
  const isStuck = !unrevoked && now.getTime() - givesUpAt.getTime() > longestEndMs;
  return {
    health: isStuck ? 'Degraded' : 'Progressing',
    reason: isStuck ? 'RetirementStuck' : 'Retiring',
    message:
      heldSomewhere(facts).length > 0 ? `${message}; ${describeHolders(facts)} at the last look` : message,
    since,
    command: isStuck ? logsCommand('issue') : commandOfPart(name, waitsFor[0]),
    ...(!isStuck && { next: { what: 'end', at: givesUpAt } }),
  };
}

/** Has the part done that is waited for, or shows who does not do it. */
function commandOfPart(name: string, part: RetirementPart | undefined): string {
  if (part?.kind === 'agent') return agentStateCommand(part.cluster);
  // Only a deploy over everything prunes.
  return part ? invokeCommand('deploy') : renewCommand(name);
}

/** A certificate of the inventory that a person had retired before: the tag that says so is still there, and
 *  would let it go at once when the entry is removed one day. */
export function findRetirementAhead({ name, spec, state }: HealthFacts): Finding | undefined {
  if (!spec || state.retire?.kind !== 'retire') return undefined;
  const { at: since } = state.retire;
  const command = invokeCommand('retire', { restore: [name] });
  const message = `a person retired it at ${since.toISOString()}, and the inventory has it again: it stays, and goes at once when its entry is removed; to take that back, run: ${command}`;
  return { health: 'Suspended', reason: 'RetirementAhead', message, since, command };
}

/** Another certificate is served, as the functions see it or an agent inside its cluster. A probe that is too
 *  old says nothing. */
export function findUnserved(facts: HealthFacts): Finding | undefined {
  const { name, state, entry, now, staleAfterMs, probeFreshMs } = facts;
  if (state.freeze && freezeOf(state.freeze, entry?.current) && isByHand(state.freeze)) return undefined;
  const looks = [
    { since: state.notServedSince, at: state.probedAt, word: state.served?.word },
    ...Object.values(state.reports ?? {}).map(({ notServedSince, probedAt, served }) => ({
      since: notServedSince,
      at: probedAt,
      word: served?.word,
    })),
  ].flatMap(({ since, at, word }) => {
    const isFresh = at === undefined || now.getTime() - at.getTime() <= probeFreshMs;
    return since && isFresh ? [{ since, word }] : [];
  });
  const [first] = looks.toSorted((one, other) => one.since.getTime() - other.since.getTime());
  if (!first) return undefined;
  const { since, word } = first;
  const sinceMs = now.getTime() - since.getTime();
  const isNew = sinceMs >= -clockSkewMs && sinceMs < staleAfterMs;
  const what = word === 'mismatch' ? 'a certificate for other names' : 'another certificate';
  return {
    health: isNew ? 'Progressing' : 'Degraded',
    reason: isNew ? 'BecomingServed' : word === 'mismatch' ? 'Mismatch' : 'NotServed',
    message: `${what} has been served since ${since.toISOString()}`,
    since,
    command: invokeCommand('probe', { certificates: [name] }),
  };
}

/** Targets that are not judged one by one: only the record of deliveries tells of them. */
export function findUnlisted(facts: HealthFacts): Finding | undefined {
  const { targets, entry, certificate, life, now, name, isAskedFor } = facts;
  if (targets || !certificate || !life || !isAskedFor || entry?.current === undefined) return undefined;
  const late = heldSomewhere({ ...facts, state: withoutFormer(facts.state) }).find(
    ({ notAfter, version }) =>
      notAfter && !entry.current?.startsWith(version) && isShort(notAfter, life, now),
  );
  const command = deployCommand(name);
  if (late?.notAfter) {
    const isOver = late.notAfter <= now;
    const message = `a target holds a certificate that ${isOver ? '' : 'is '}${describeEnd(late.notAfter, now)}`;
    const reason = isOver ? 'Expired' : 'ExpiresSoon';
    return explain({ health: 'Degraded', reason, message, command }, findUnlistedFailure(facts));
  }
  const isLookedAt = !facts.state.deliveryProblem?.cause?.startsWith('target/');
  if (isEverywhere(facts)) return isLookedAt ? undefined : findUnlistedFailure(facts);
  const open = { health: 'Progressing', reason: 'Delivering', command } as const;
  return (
    findUnlistedFailure(facts) ??
    findUnlistedRestart(facts) ??
    findUnrecorded(facts) ?? { ...open, message: 'not delivered to all its targets yet' }
  );
}

/** Without what agents reported that do not get it any more: nobody clears that, and it grows old. */
function withoutFormer(state: CertificateState): CertificateState {
  const { signatures = {}, reports = {} } = state;
  const gets = ([cluster]: readonly [string, unknown]) =>
    signatures[cluster] !== undefined && !isWithdrawn(signatures[cluster]);
  return { ...state, reports: Object.fromEntries(Object.entries(reports).filter(gets)) };
}

/** A version of which `deploy` has noted nothing for a day. It notes one that waits for a window, too. */
function findUnrecorded(facts: HealthFacts): Finding | undefined {
  const { state, entry } = facts;
  const { deployed } = state;
  const isNoted = deployed?.version === entry?.current && !isLetGo(deployed, entry?.current ?? '');
  const forgotten = isNoted ? undefined : findForgotten(undefined, facts);
  return forgotten && { ...forgotten, message: `each of its targets ${forgotten.message}` };
}

function findUnlistedRestart(facts: HealthFacts): Finding | undefined {
  const { deployed } = facts.state;
  const isRestarting = deployed?.version === facts.entry?.current && deployed?.phases.includes('applied');
  const since = isRestarting ? findEndlessRestart(facts) : undefined;
  if (!since) return undefined;
  const message = `workloads of its targets do not run with it since ${since.toISOString()}: look at their pods`;
  // Which they are, its report says.
  return {
    health: 'Degraded',
    reason: 'DeliveryFailing',
    message,
    since,
    command: deployCommand(facts.name),
  };
}

/** Whether all targets have the version, by the record alone; also if it has no targets. */
function isEverywhere({ state: { deployed, targets }, entry }: HealthFacts): boolean {
  const hasNone = targets === targetsKey([]);
  if (hasNone || !deployed) return hasNone || targets === undefined;
  const { version, phases } = deployed;
  if (version !== entry?.current || isLetGo(deployed, version)) return false;
  return phases.every((phase) => phase === 'rolled-out');
}
