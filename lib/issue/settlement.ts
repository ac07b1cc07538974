// What is left of an attempt: state on tags, the claim released, one line in the log and one in the report.
import { readCertificate } from '../certificate/x509.ts';
import { AcmeError, CertrelayError } from '../errors.ts';
import { describeError } from '../log.ts';
import { nextAttempt } from '../policy/backoff.ts';
import type { Decision } from '../policy/checks.ts';
import { stateOf } from '../policy/state-of.ts';
import { type Attempt, AttemptError } from './attempt.ts';
import type { Claim, DueCertificate } from './claim.ts';
import type { IssuePorts, Run } from './run.ts';

/** What became of one certificate. */
export type WaveOutcome =
  | {
      readonly outcome: 'issued';
      readonly name: string;
      readonly message: string;
      readonly version: string;
      readonly notAfter: Date;
      readonly orderUrl: string;
    }
  /** Nothing was needed any more. */
  | { readonly outcome: 'kept'; readonly name: string; readonly message: string }
  /** A later run goes on from here. */
  | { readonly outcome: 'waiting'; readonly name: string; readonly message: string }
  | {
      readonly outcome: 'failed';
      readonly name: string;
      readonly message: string;
      readonly until?: Date;
      readonly error: Error;
    };

type Result = Exclude<Attempt, { kind: 'open' }> | Issued | Error;

export interface Issued {
  readonly kind: 'issued';
  readonly attempt: Extract<Attempt, { kind: 'open' }>;
  readonly chain: string;
  readonly version: string;
}

/** Settles one attempt. `left`: record names whose TXT values could not be removed; the claim is then kept, so that the
 *  next run removes them. Never rejects. */
export async function settle(
  due: DueCertificate,
  result: Result,
  left: ReadonlyMap<string, Error>,
  ports: IssuePorts,
  run: Run,
): Promise<WaveOutcome> {
  const { name } = due.spec;
  try {
    if (result instanceof Error) return await settleFailure(due, result, left, ports, run);
    switch (result.kind) {
      case 'held':
        return { outcome: 'waiting', name, message: 'another run is ordering it' };
      case 'kept':
        await ports.store.release(name, result.claim.version, run.cleanUpSignal);
        return keptBy(result.decision, name);
      case 'stored':
        return await settleStored(due, result, left, ports, run);
      case 'issued':
        return await settleIssued(due, result, left, ports, run);
    }
  } catch (error) {
    // The certificate is safe by now or its order is on the tag; the next run picks up from there.
    const failure = error instanceof Error ? error : new Error(String(error));
    ports.log.error('state not recorded', { certificate: name, problem: describeError(failure) });
    return { outcome: 'failed', name, message: describeError(failure), error: failure };
  }
}

/** Judged again under the claim, it needed nothing or must wait. */
function keptBy({ decision, message }: Decision, name: string): WaveOutcome {
  return { outcome: decision === 'keep' ? 'kept' : 'waiting', name, message };
}

async function settleIssued(
  due: DueCertificate,
  { attempt, chain, version }: Issued,
  left: ReadonlyMap<string, Error>,
  ports: IssuePorts,
  run: Run,
): Promise<WaveOutcome> {
  const { spec } = due;
  const facts = readCertificate(chain);
  const orderUrl = attempt.open.order.url;
  const values = [...attempt.open.toCleanUp, ...attempt.leftovers];
  await close(
    attempt.claim,
    chain,
    version,
    due,
    values.some((value) => left.has(value.name)),
    ports,
    run,
  );
  const until = facts.notAfter.toISOString();
  return {
    outcome: 'issued',
    name: spec.name,
    message: `issued, valid until ${until}`,
    version,
    notAfter: facts.notAfter,
    orderUrl,
  };
}

/** An earlier run stored the certificate and died before it could say so. */
async function settleStored(
  due: DueCertificate,
  { claim, leftovers }: Extract<Attempt, { kind: 'stored' }>,
  left: ReadonlyMap<string, Error>,
  ports: IssuePorts,
  run: Run,
): Promise<WaveOutcome> {
  const { name } = due.spec;
  const current = await ports.store.read(name, 'AWSCURRENT', run.cleanUpSignal);
  if (current?.value.kind !== 'certificate')
    throw new CertrelayError('Store', 'the stored certificate cannot be read');
  const { chain } = current.value.certificate;
  await close(
    claim,
    chain,
    current.version,
    due,
    leftovers.some((value) => left.has(value.name)),
    ports,
    run,
  );
  return { outcome: 'kept', name, message: 'an earlier run had issued it; its state is recorded now' };
}

async function close(
  claim: Claim,
  chain: string,
  version: string,
  due: DueCertificate,
  txtLeft: boolean,
  { store }: IssuePorts,
  run: Run,
): Promise<void> {
  const { name } = due.spec;
  const state = stateOf(version, readCertificate(chain), claim.pending);
  const closed = txtLeft ? {} : { order: null };
  await store.record(
    name,
    { ...state, ...closed, failures: null, error: null, nextAttempt: null },
    run.cleanUpSignal,
  );
  if (!txtLeft) await store.release(name, claim.version, run.cleanUpSignal);
}

async function settleFailure(
  due: DueCertificate,
  failure: Error,
  left: ReadonlyMap<string, Error>,
  { store, clock, log }: IssuePorts,
  run: Run,
): Promise<WaveOutcome> {
  const { name } = due.spec;
  const claim = failure instanceof AttemptError ? failure.claim : undefined;
  const open = failure instanceof AttemptError ? failure.open : undefined;
  const cause = failure instanceof AttemptError && failure.cause instanceof Error ? failure.cause : failure;
  if (run.signal.aborted) {
    log.warn('certificate left for the next run', {
      certificate: name,
      reason: 'Deadline',
      orderUrl: open?.order.url,
    });
    return { outcome: 'waiting', name, message: 'time ran out; the next run goes on from here' };
  }
  const now = clock.now();
  const failures = (claim?.entry.state.failures ?? due.entry?.state.failures ?? 0) + 1;
  const retryAfterMs = cause instanceof AcmeError ? cause.retryAfterMs : undefined;
  const until = nextAttempt({ failures, now, retryAfterMs });
  const reason = reasonOf(cause);
  log.warn('certificate failed', {
    certificate: name,
    names: due.spec.domains,
    reason,
    problem: describeError(cause),
    failures,
    until,
    orderUrl: open?.order.url,
  });
  const txtLeft = open?.toCleanUp.some((value) => left.has(value.name)) ?? false;
  const orderIsOver = cause instanceof AcmeError && cause.code === 'Invalid' && !txtLeft;
  if (claim) {
    await store.record(
      name,
      { failures, error: reason, nextAttempt: until, ...(orderIsOver ? { order: null } : {}) },
      run.cleanUpSignal,
    );
    const keep = txtLeft || (failure instanceof AttemptError && failure.mayBeIssued);
    if (!keep) await store.release(name, claim.version, run.cleanUpSignal);
  }
  return { outcome: 'failed', name, message: describeError(cause), until, error: cause };
}

/** The CA's problem type where there is one, else our code. */
function reasonOf(error: Error): string {
  if (error instanceof AcmeError && error.problem) return error.problem.type;
  return error instanceof CertrelayError ? error.code : 'Unexpected';
}
