// Checks specifications that do not come from the inventory file against today's inventory. The first full
// pass records what does not fit already and gives it a time of grace; what stops fitting later has none.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { keepFailures, once } from '../../async/promise-cache.ts';
import { registeredSpec, type StoredSpec } from '../../certificate/stored.ts';
import { createFit } from '../../policy/registration/fit.ts';
import {
  believeGrace,
  describeKept,
  explainGrace,
  explainRefusal,
  grantGrace,
  type Installation,
  isGraceOpen,
  isTolerated,
  type Misfits,
  notAllowed,
} from '../../policy/registration/grace.ts';
import { openSources } from '../../policy/registration/name-holders.ts';
import { describeError } from '../../ports/errors.ts';
import type { InstallationRecord } from '../../ports/installation.ts';
import type { CertificateStore } from '../../ports/store.ts';
import type { IssueInvocation, IssuePorts } from '../invocation.ts';
import { type Candidate, type PlannedCertificate, readSpecification } from './gather.ts';

/** Values read at once. */
const concurrency = 32;
/** The most values that one pass reads because their tags say that something does not fit, or did not. */
const mostRead = 200;

/** What the rules need to know of the pass. */
export interface AllowanceRequest {
  readonly dryRun?: boolean | undefined;
  /** The record of the installation. Absent: it is read if something does not fit. */
  readonly installation?: InstallationRecord | 'unknown' | undefined;
  /** Whether no full pass has ended yet: then values are read, and grace is granted. */
  readonly grantsGrace: boolean;
  /** Whether the pass is over all certificates: only then it is known who has which name. */
  readonly isOverAll: boolean;
}

/** Checks certificates against today's inventory, once each. */
export interface Allowance {
  /** The candidates, each with what does not fit. Checked by tags, and by values if tags raise a doubt; by
   *  values in the first full pass. `isComplete`: everything was recorded that must be. Never rejects.
   *  @param specs Specifications of values that were read already. */
  checkAll(
    candidates: readonly Candidate[],
    specs: ReadonlyMap<string, StoredSpec>,
  ): Promise<{ readonly candidates: readonly Candidate[]; readonly isComplete: boolean }>;
  /** The candidate with a specification that was read later, and what does not fit of it. Never rejects. */
  checkSpec(candidate: Candidate, spec: StoredSpec): Promise<Candidate>;
}

type Change = Parameters<CertificateStore['record']>[1];

/** Opens the checks of one pass. */
export function openAllowance(
  request: AllowanceRequest,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Allowance {
  const { store, clock, log } = ports;
  const { dryRun = false, grantsGrace, isOverAll } = request;
  const fit = createFit(invocation.inventory);
  /** The first full pass records shared names, too; names that are shared later are withheld as
   *  `NameTaken`. */
  let fitWithNames = fit;
  const fitFor = ({ entry }: Candidate) =>
    grantsGrace || entry?.state.graceUntil !== undefined ? fitWithNames : fit;
  const inFile = new Set(invocation.inventory.certificates.map(({ name }) => name));
  const checkedNames = new Set<string>();
  const installation = once(
    async () => request.installation ?? (await readRecord(ports, invocation)),
    keepFailures,
  );
  let isComplete = true;
  let readsLeft = grantsGrace ? Number.POSITIVE_INFINITY : mostRead;

  const record = async (name: string, change: Change): Promise<boolean> => {
    if (dryRun) return true;
    try {
      await store.record(name, change, invocation.signal);
      return true;
    } catch (error) {
      log.warn('state not recorded', { certificate: name, problem: describeError(error) });
      return false;
    }
  };

  const read = async (name: string): Promise<StoredSpec | undefined> => {
    try {
      return await readSpecification(name, store, invocation.signal);
    } catch (error) {
      isComplete = false;
      log.warn('specification not read', { certificate: name, problem: describeError(error) });
      return undefined;
    }
  };

  /** The grace on the tag now, because listing lags: this pass must not refuse what the one before has
   *  granted. */
  const readGrace = async (name: string): Promise<Misfits['grace']> => {
    try {
      return (await store.describe(name, invocation.signal))?.state.graceUntil;
    } catch (error) {
      log.warn('certificate not described', { certificate: name, problem: describeError(error) });
      return 'open';
    }
  };

  /** The grace on the tag, or the one that is granted now. */
  const findGrace = async ({ name, entry, situation: { actual } }: Candidate): Promise<Misfits['grace']> => {
    const life = actual.kind === 'certificate' ? actual : undefined;
    const listed = entry?.state.graceUntil;
    const recorded =
      listed ?? (grantsGrace || entry?.state.error === notAllowed ? undefined : await readGrace(name));
    if (recorded === 'open') return 'open';
    if (recorded === undefined && grantsGrace) {
      const until = grantGrace(clock.now(), life);
      if (await record(name, { graceUntil: until })) return until;
      isComplete = false;
      return 'open';
    }
    const installationRecord = await installation();
    if (recorded === undefined) return isGraceOpen(installationRecord) ? 'open' : undefined;
    const until = believeGrace(recorded, life, installationRecord);
    if (until && until < recorded) {
      log.error('tags disagreed', {
        certificate: name,
        said: { graceUntil: recorded },
        problem: `its time of grace is longer than the rules give; Certrelay ends it at ${until.toISOString()}`,
      });
      await record(name, { graceUntil: until, tagsDisagree: clock.now() });
    }
    return until;
  };

  const markMisfits = async (candidate: Candidate, found: Misfits['found']): Promise<Candidate> => {
    const { name, entry, situation } = candidate;
    const misfits: Misfits = { found, grace: await findGrace(candidate) };
    const isKept = isTolerated(misfits, clock.now());
    const isMarked = entry?.state.error === notAllowed;
    if (isKept) {
      log.warn('certificate kept in grace', { certificate: name, problem: explainGrace(misfits) });
      if (isMarked) await record(name, { error: null });
    } else {
      const level = isMarked ? 'warn' : 'error';
      log[level]('certificate not allowed', { certificate: name, problem: explainRefusal(misfits) });
      // The wait belongs to the error before, not to this one.
      const waits = entry?.state.nextAttempt === undefined ? {} : { nextAttempt: null };
      if (!isMarked) await record(name, { error: notAllowed, ...waits });
    }
    return { ...candidate, situation: { ...situation, misfits } };
  };

  /** Nothing speaks against it any more. Its signatures for agents may have been taken back, so its
   *  specification is kept for signing. */
  const clearMisfits = async (candidate: Candidate, spec: StoredSpec): Promise<Candidate> => {
    const { error, graceUntil } = candidate.entry?.state ?? {};
    const isMarked = error === notAllowed;
    if (!isMarked && graceUntil === undefined) return candidate;
    // A pass over some certificates does not know of shared names.
    if (graceUntil !== undefined && !isOverAll) return markMisfits(candidate, []);
    log.info('certificate allowed again', { certificate: candidate.name });
    await record(candidate.name, {
      ...(isMarked ? { error: null } : {}),
      ...(graceUntil === undefined ? {} : { graceUntil: null }),
    });
    return { ...candidate, spec };
  };

  const checkSpec = async (candidate: Candidate, spec: StoredSpec): Promise<Candidate> => {
    if (checkedNames.has(candidate.name)) return candidate;
    checkedNames.add(candidate.name);
    const found = fitFor(candidate).ofSpec(spec, candidate.entry?.createdAt);
    return found.length > 0 ? markMisfits(candidate, found) : clearMisfits(candidate, spec);
  };

  const checkOne = async (candidate: Candidate, specOfValue: StoredSpec | undefined): Promise<Candidate> => {
    const { name, entry } = candidate;
    const known = candidate.spec ?? specOfValue;
    if (inFile.has(name)) return candidate;
    const registered = known && registeredSpec(known);
    if (known) return registered ? checkSpec(candidate, registered) : candidate;
    const { state = {} } = entry ?? {};
    const { source, targets, error, graceUntil } = state;
    const about = { name, domains: state.domains, targets, since: entry?.createdAt };
    const tagged = source && fitFor(candidate).ofTags({ ...about, source });
    const { found, isSure } = tagged ?? { found: [], isSure: false };
    const isSuspect = found.length > 0 || error === notAllowed || graceUntil !== undefined;
    const isToRead = isSuspect || (grantsGrace && !isSure);
    if (isToRead && readsLeft > 0) {
      readsLeft -= 1;
      const spec = await read(name);
      if (spec) return checkSpec(candidate, spec);
    }
    return isSuspect ? markMisfits(candidate, found) : candidate;
  };

  return {
    async checkAll(candidates, specs) {
      const isConcerned = grantsGrace || candidates.some(({ entry }) => entry?.state.graceUntil);
      if (isOverAll && isConcerned) {
        const sources = openSources(invocation.inventory);
        const others = candidates.flatMap(({ entry }) => (entry && sources.holderOf(entry)) ?? []);
        fitWithNames = createFit(invocation.inventory, others);
      }
      const checked = await mapConcurrently(candidates, concurrency, (one) =>
        checkOne(one, specs.get(one.name)),
      );
      return { candidates: checked, isComplete };
    },
    checkSpec,
  };
}

/** The plan in which every certificate with a time of grace says until when, and what does not fit. */
export function addGrace(plan: readonly PlannedCertificate[]): readonly PlannedCertificate[] {
  return plan.map((planned) => {
    const { misfits } = planned.situation;
    const isKept = misfits && planned.plan.reason !== 'NotAllowed';
    return isKept ? { ...planned, plan: { ...planned.plan, ...describeKept(misfits) } } : planned;
  });
}

/** The record of the installation; `unknown` if it cannot be read, so that nothing is refused for that. */
export async function readRecord(
  { installation, log }: Pick<IssuePorts, 'installation' | 'log'>,
  { signal }: Pick<IssueInvocation, 'signal'>,
): Promise<Installation> {
  try {
    return installation ? await installation.read(signal) : 'unknown';
  } catch (error) {
    log.warn('installation not read', { problem: describeError(error) });
    return 'unknown';
  }
}
