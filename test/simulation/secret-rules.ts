// Rules for changes of Kubernetes Secrets: no older certificate over a newer one, nothing of others touched,
// nothing frozen delivered, no window missed.
import type { KubernetesObject } from '../sandbox/kubernetes/objects.ts';
import type { ClusterChange } from './cluster.ts';
import { type LedgerEntry, nameEntry } from './ledger.ts';
import { type JudgedSimulation, strictness, targetsIn, wasOpen } from './rules.ts';

/** Judges a change of a Secret when it takes effect. */
export function judgeSecretChange(change: ClusterChange, simulation: JudgedSimulation): void {
  const { clock, history, ledger, tally, violate } = simulation;
  const key = `${change.cluster}/${change.name}`;
  const run = simulation.actor();
  const before = ledger.ofValue(valueIn(change.before));
  const after = ledger.ofValue(valueIn(change.after));
  const isPutRight = run && change.before && !before && after;
  if (isPutRight) tally.count('Secret drifted and put right');
  if (run && !change.before && history.isTouched(key, 0, run)) tally.count('Secret deleted and made again');
  const since = run?.startedAt ?? 0;
  const isDisturbed = history.isTouched(key, since, run);
  history.touch(key, clock.now, run);
  if (!change.before) history.noteCreated(key, clock.now);
  if (!run) return;
  if (!change.after || !after) {
    const what = change.after ? 'wrote something that the CA has not issued into' : 'deleted';
    violate(`${run.name} ${what} Secret ${key}`);
    return;
  }
  if (after.isBent) violate(`${run.name} delivered ${nameEntry(after)}, which is not what was ordered`);
  for (const gone of lostOfOthers(change.before, change.after))
    violate(`${run.name} changed ${gone} of Secret ${key}, which is somebody else's`);
  if (before && before.certificate === after.certificate)
    judgeOrder({ key, before, after, since }, simulation);
  // What was there before, and is put back after somebody has changed it, does not wait.
  const hasHad = before !== after && history.noteHad(key, after.fingerprint);
  if (before !== after && !hasHad)
    history.deliveries.push({ secret: key, certificate: after.certificate, at: new Date(clock.now) });
  if (before && before !== after && !hasHad) judgeTime({ key, before, after, since }, simulation);
  judgeFrozen({ key, before, after, since, isDisturbed }, simulation);
}

interface Replacement {
  readonly key: string;
  readonly before: LedgerEntry;
  readonly after: LedgerEntry;
}

/** An older certificate comes only where the newer one was taken back: its tags say so already. */
function judgeOrder(
  { key, before, after, since }: Replacement & { readonly since: number },
  { history, ledger, options, tally, violate }: JudgedSimulation,
): void {
  if (after.ordinal >= before.ordinal) return;
  if (!strictness.creates && history.wasCreated(key, since)) return;
  // An invocation that began before a person resumed the version may still take it back.
  const at = strictness.lists ? since : since - options.listLagMs;
  if (history.wasFrozen(after.certificate, ledger.versionOf(before), at)) {
    const { freeze } = history.freezeOf(after.certificate);
    history.noteRollback(after.certificate);
    const isByHand = freeze?.target === '*';
    tally.count(isByHand ? 'version rolled back by hand' : 'version rolled back because it failed');
    return;
  }
  const message = `Secret ${key} got ${nameEntry(after)} over ${nameEntry(before)}, and no freeze says that the newer one was taken back`;
  violate(message);
}

/** A newer certificate comes within the target's windows, or when the one before is close to its end. */
function judgeTime(
  { key, before, after, since }: Replacement & { readonly since: number },
  { options, clock, tally, violate }: JudgedSimulation,
): void {
  if (after.ordinal < before.ordinal) return;
  for (const { target } of targetsIn(options, key)) {
    const windows = target.rollout?.windows ?? [];
    if (windows.length === 0 || wasOpen(windows, since, clock.now)) continue;
    if (isNearEnd(before, after, clock.now)) {
      tally.count('delivery too urgent for its window');
      continue;
    }
    violate(`Secret ${key} got ${nameEntry(after)} outside the windows of its target`);
  }
}

/** A frozen version goes nowhere, but where the certificate there is close to its end. */
function judgeFrozen(
  {
    key,
    before,
    after,
    since,
    isDisturbed,
  }: {
    readonly key: string;
    readonly before: LedgerEntry | undefined;
    readonly after: LedgerEntry;
    readonly since: number;
    readonly isDisturbed: boolean;
  },
  { clock, history, ledger, options, violate }: JudgedSimulation,
): void {
  const known = history.freezeOf(after.certificate);
  const at = strictness.lists ? since : since - options.listLagMs;
  if (ledger.ofVersion(known.freeze?.version) !== after || known.since >= at) return;
  // A target that has the version keeps it; nothing is known of one that others changed meanwhile.
  if (!before || before === after || isDisturbed || isNearEnd(before, after, clock.now)) return;
  violate(`Secret ${key} got ${nameEntry(after)}, which was frozen ${clock.now - known.since} ms before`);
}

/** Less than a quarter left of the time that was left when the successor began. */
export function isNearEnd(before: LedgerEntry, after: LedgerEntry, now: number): boolean {
  const end = before.notAfter.getTime();
  // A minute more, because it was judged before the call.
  return (end - now - 60_000) * 4 < end - after.notBefore.getTime();
}

/** Base64 of `tls.crt`. */
export function valueIn(object: KubernetesObject | undefined): string | undefined {
  return object && partOf(object, 'data')['tls.crt'];
}

/** Entries that we did not apply and that are not as they were. */
function lostOfOthers(before: KubernetesObject | undefined, after: KubernetesObject): readonly string[] {
  if (!before) return [];
  const text = JSON.stringify(
    before.metadata.managedFields?.filter(
      ({ manager, operation }) => manager === 'certrelay' && operation === 'Apply',
    ) ?? [],
  );
  return (['data', 'labels', 'annotations'] as const).flatMap((part) => {
    const [old, now] = [partOf(before, part), partOf(after, part)];
    return Object.keys(old)
      .filter((name) => !isOurs(name) && !text.includes(JSON.stringify(`f:${name}`)))
      .filter((name) => old[name] !== now[name])
      .map((name) => `${part}/${name}`);
  });
}

function isOurs(name: string): boolean {
  return (
    ['tls.crt', 'tls.key', 'app.kubernetes.io/managed-by'].includes(name) || name.startsWith('certrelay.dev/')
  );
}

function partOf(object: KubernetesObject, part: 'data' | 'labels' | 'annotations') {
  const value = part === 'data' ? object.data : object.metadata[part];
  return (value ?? {}) as Readonly<Record<string, string>>;
}
