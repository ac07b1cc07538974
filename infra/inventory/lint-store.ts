// Finds stored certificates that an inventory would not allow any more.
import { mapConcurrently } from '../../lib/async/map-concurrently.ts';
import type { Inventory } from '../../lib/certificate/spec.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { createFit } from '../../lib/policy/registration/fit.ts';
import { believeGrace, type Installation, isGraceOpen } from '../../lib/policy/registration/grace.ts';
import type { Misfit } from '../../lib/policy/registration/misfits.ts';
import { openSources } from '../../lib/policy/registration/name-holders.ts';
import { toError } from '../../lib/ports/errors.ts';
import type { InstallationStore } from '../../lib/ports/installation.ts';
import { type CertificateStore, type StoreEntry, StoreError } from '../../lib/ports/store.ts';

/** The reads of the store that this command needs. */
export interface LintedStore {
  readonly certificates: Pick<CertificateStore, 'list' | 'read'>;
  readonly installation: Pick<InstallationStore, 'read'>;
  readonly close: () => void;
}

/** Exit codes: all is well; there are mistakes; the call is wrong or something could not be read. */
export type LintCode = 0 | 1 | 2;

/** Ports of the command. */
export interface LintPorts {
  readonly connect: (prefix: string) => LintedStore | Promise<LintedStore>;
  /** Prints one line of the answer. */
  readonly say: (line: string) => void;
  /** Prints one line of progress or trouble. */
  readonly note: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
}

/** Values read at the same time, certificates listed, and certificates between two lines of progress. */
const concurrency = 16;
const mostTold = 500;
const noteEvery = 500;

/** Result for one stored certificate. */
type LintResult =
  | { readonly kind: 'fits' }
  | {
      readonly kind: 'misfit';
      readonly entry: StoreEntry;
      readonly spec: StoredSpec;
      readonly found: readonly Misfit[];
    }
  | { readonly kind: 'unread'; readonly name: string; readonly problem: string };

/** Prints which registered certificates an inventory would not allow, and the lines that allow them. Changes
 *  nothing. Never throws: what could not be read is printed. */
export async function compareStore(
  inventory: Inventory,
  prefix: string,
  ports: LintPorts,
): Promise<LintCode> {
  try {
    return await compareAll(inventory, prefix, ports);
  } catch (error) {
    ports.note(explain(toError(error), prefix));
    return 2;
  }
}

async function compareAll(inventory: Inventory, prefix: string, ports: LintPorts): Promise<LintCode> {
  const { say, note, now } = ports;
  const store = await ports.connect(prefix);
  const { signal } = new AbortController();
  try {
    const inFile = new Set(inventory.certificates.map(({ name }) => name));
    const listed = await store.certificates.list(signal);
    const registered = listed.filter(({ name, state }) => state.source && !inFile.has(name));
    const installation = await readInstallation(store, signal);
    const sources = openSources(inventory);
    const fit = createFit(
      inventory,
      registered.flatMap((entry) => sources.holderOf(entry) ?? []),
    );
    let done = 0;
    const results = await mapConcurrently(registered, concurrency, async (entry): Promise<LintResult> => {
      const result = await judge(entry, fit, store, signal);
      done += 1;
      if (done % noteEvery === 0) note(`${done} of ${registered.length} looked at`);
      return result;
    });
    const misfits = results.filter((result) => result.kind === 'misfit');
    const unread = results.filter((result) => result.kind === 'unread');
    for (const { entry, spec, found } of misfits.slice(0, mostTold)) {
      say(
        `\n${entry.name} (${spec.source}, ${spec.domains.slice(0, 3).join(', ')}${spec.domains.length > 3 ? ', …' : ''})`,
      );
      for (const one of found) say(`  ${one.message}`);
      for (const line of linesOf(found)) say(`  ${line}`);
      say(`  ${describeGrace(entry, installation, now())}`);
    }
    if (misfits.length > mostTold) say(`\nand ${misfits.length - mostTold} more`);
    for (const { name, problem } of unread.slice(0, mostTold)) note(`${name} was not looked at: ${problem}`);
    const lines = linesOf(misfits.flatMap(({ found }) => found));
    if (lines.length > 0) say(['\nTo allow all of them:', ...lines.slice(0, mostTold)].join('\n  '));
    const seen = `${count(registered.length, 'registered certificate')} under ${prefix}/`;
    say(
      `\n${seen}: ${misfits.length} not allowed${unread.length > 0 ? `, ${unread.length} not looked at` : ''}`,
    );
    return unread.length > 0 ? 2 : misfits.length > 0 ? 1 : 0;
  } finally {
    store.close();
  }
}

async function judge(
  entry: StoreEntry,
  fit: ReturnType<typeof createFit>,
  { certificates }: LintedStore,
  signal: AbortSignal,
): Promise<LintResult> {
  const { name } = entry;
  try {
    const value = (await certificates.read(name, 'AWSCURRENT', signal))?.value;
    const spec =
      value?.kind === 'specification'
        ? value.spec
        : value?.kind === 'certificate'
          ? value.certificate.spec
          : undefined;
    if (!spec) return { kind: 'unread', name, problem: 'its value holds no specification' };
    const found = fit.ofSpec(spec, entry.createdAt);
    return found.length > 0 ? { kind: 'misfit', entry, spec, found } : { kind: 'fits' };
  } catch (error) {
    return { kind: 'unread', name, problem: toError(error).message };
  }
}

/** A caller without the right to read this record does not learn which graces are noted already. */
async function readInstallation({ installation }: LintedStore, signal: AbortSignal): Promise<Installation> {
  try {
    return await installation.read(signal);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'Denied') return 'unknown';
    throw error;
  }
}

/** Each missing line once, with the part of the inventory to add it to. */
function linesOf(found: readonly Misfit[]): readonly string[] {
  const lines = found.flatMap(({ addition }) =>
    addition ? [`add to ${addition.to}:   ${addition.line}`] : [],
  );
  return [...new Set(lines)];
}

function describeGrace({ state }: StoreEntry, installation: Installation, now: Date): string {
  const { graceUntil, notBefore, notAfter } = state;
  if (graceUntil === undefined) {
    return isGraceOpen(installation)
      ? 'the first full pass of the new version notes it: renewed and delivered for 90 days from then, or until it ends'
      : 'neither renewed nor delivered any more';
  }
  const life = notBefore && notAfter && { notBefore, notAfter };
  const until = believeGrace(graceUntil, life, installation) ?? graceUntil;
  const words = now < until ? 'renewed and delivered until' : 'neither renewed nor delivered since';
  return `${words} ${until.toISOString()}`;
}

/** The message of AWS or its SDK, and what to do. */
function explain(error: Error, prefix: string): string {
  const why = error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
  if (error instanceof StoreError && error.code === 'Denied') {
    return `${why}\nAllow whoever calls this secretsmanager:ListSecrets, and DescribeSecret and GetSecretValue on ${prefix}/*`;
  }
  if (/credential|token/i.test(why))
    return `${why}\nSign in to AWS first: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and what belongs to it`;
  if (/region is missing/i.test(why))
    return `${why}\nSet AWS_REGION to the region that Certrelay is deployed in`;
  return `what is stored cannot be read: ${why}`;
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}
