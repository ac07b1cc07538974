// The calls of functions that `certrelay check` makes. All of them are dry runs, or only look.
import { mapConcurrently } from '../../../lib/async/map-concurrently.ts';
import { nameSome } from '../../../lib/policy/bounds.ts';
import { invokeCommand } from '../../../lib/policy/commands.ts';
import { toError } from '../../../lib/ports/errors.ts';
import { type AnswerFields, listOf, textOf, textsOf } from '../answer.ts';
import type { CommandSession } from '../session.ts';
import { type CheckedPart, fine, unseen, wrong } from './part.ts';
import { checkCluster, reachedOf } from './reports.ts';

/** What the functions answered; absent: one that did not. */
export interface CheckedAnswers {
  readonly status?: AnswerFields;
  readonly orders?: AnswerFields;
}

/** Milliseconds that a function is waited for; longer, something that it asks does not answer. */
const longestMs = 60_000;

/** Calls the functions that everything depends on. One line says of each whether it answers. */
export async function callFunctions(
  session: CommandSession,
): Promise<{ readonly answers: CheckedAnswers; readonly parts: readonly CheckedPart[] }> {
  const [status, orders] = await Promise.all([
    callOne(session, 'status', {}),
    callOne(session, 'issue', { dryRun: true }),
  ]);
  return {
    answers: {
      ...(status.answer && { status: status.answer }),
      ...(orders.answer && { orders: orders.answer }),
    },
    parts: [status.part, orders.part],
  };
}

/** Dry runs at the same time. */
const clustersAtOnce = 4;

/** What `deploy` would find in each cluster that it reaches, one call each, so that one that does not answer
 *  delays no other. One line says whether `deploy` answers.
 *  @param mostMs How long each is waited for. */
export async function lookAtClusters(
  session: CommandSession,
  { status }: CheckedAnswers,
  mostMs = longestMs,
): Promise<readonly CheckedPart[]> {
  if (!status) return [unseen('clusters', 'status did not answer')];
  const clusters = reachedOf(status);
  if (clusters.length === 0) return [(await callOne(session, 'deploy', { dryRun: true })).part];
  const looked = await mapConcurrently(clusters, clustersAtOnce, async (cluster) => {
    const event = { clusters: [textOf(cluster, 'name')], dryRun: true };
    const { answer, part } = await callOne(session, 'deploy', event, mostMs);
    return { part, said: checkCluster(cluster, answer ?? `deploy did not say: ${part.message}`) };
  });
  const answered = looked.find(({ part }) => part.verdict === 'ok') ?? looked[0];
  return [...(answered ? [answered.part] : []), ...looked.map(({ said }) => said)];
}

async function callOne(
  session: CommandSession,
  name: 'status' | 'issue' | 'deploy',
  event: Readonly<Record<string, unknown>>,
  mostMs = longestMs,
): Promise<{ readonly answer?: AnswerFields; readonly part: CheckedPart }> {
  const part = `function/${name}`;
  try {
    const answer = await within(session, name, event, mostMs);
    if (answer === undefined) {
      const why = `it has not answered for ${mostMs / 1000} s: something that it asks hangs; its log says what`;
      return { part: unseen(part, why) };
    }
    // A call that was refused as a whole has no report.
    if (Array.isArray(answer.certificates)) return { answer, part: fine(part, 'it answers') };
    const words = listOf(answer, 'failures').map(
      (one) => `${textOf(one, 'code')}: ${textOf(one, 'message')}`,
    );
    return { part: wrong(part, words.join('; ') || 'it answered no report: update the installation') };
  } catch (error) {
    session.signal.throwIfAborted();
    return { part: wrong(part, toError(error).message) };
  }
}

/** The report; `undefined` if there is none in time. The function goes on, and changes nothing. */
async function within(
  session: CommandSession,
  name: 'status' | 'issue' | 'deploy',
  event: Readonly<Record<string, unknown>>,
  mostMs: number,
): Promise<AnswerFields | undefined> {
  const late = new AbortController();
  const patience = setTimeout(() => late.abort(), mostMs);
  const call = session.call(name, event, { isRead: true, signal: late.signal });
  try {
    return await call;
  } catch (error) {
    if (late.signal.aborted && !session.signal.aborted) return undefined;
    throw error;
  } finally {
    clearTimeout(patience);
  }
}

/** Certificates whose DNS is looked at although no order is due, and calls at the same time. */
const mostForced = 10;
const concurrency = 3;

/** The lines of a dry run of `issue`, with DNS also where no order is due: of one certificate for each parent
 *  domain. The line `zones` says which were left out. */
export async function lookAtDns(
  session: CommandSession,
  { status, orders }: CheckedAnswers,
): Promise<{ readonly lines: readonly AnswerFields[]; readonly parts: readonly CheckedPart[] }> {
  if (!status || !orders) return { lines: [], parts: [unseen('zones', 'status and issue did not answer')] };
  const lines = listOf(orders, 'certificates');
  const domains = new Map(
    listOf(status, 'certificates').map((one) => [textOf(one, 'name'), textsOf(one, 'domains')]),
  );
  const seen = new Set(
    lines.filter(isLooked).flatMap((line) => parentsOf(domains.get(textOf(line, 'name')))),
  );
  const chosen = lines.filter((line) => {
    const parents = parentsOf(domains.get(textOf(line, 'name'))).filter((parent) => !seen.has(parent));
    if (isLooked(line) || parents.length === 0 || textOf(line, 'reason') === 'Retiring') return false;
    for (const parent of parents) seen.add(parent);
    return true;
  });
  const forced = await mapConcurrently(chosen.slice(0, mostForced), concurrency, async (line) => {
    const event = { certificates: [textOf(line, 'name')], force: true, dryRun: true };
    try {
      return listOf((await within(session, 'issue', event, longestMs)) ?? {}, 'certificates');
    } catch {
      session.signal.throwIfAborted();
      return [];
    }
  });
  const looked = [...lines, ...forced.flat()].filter(isLooked);
  const left = chosen
    .filter((_, index) => !forced[index]?.some(isLooked))
    .map((line) => textOf(line, 'name'));
  const isLeft = left.length > 0 || looked.length === 0;
  const part = looked.length === 0 ? 'there is no certificate to order' : describeLeft(left);
  return { lines: looked, parts: isLeft ? [unseen('zones', part)] : [] };
}

function describeLeft(names: readonly string[]): string {
  const command = invokeCommand('issue', { certificates: names.slice(0, mostLeft), dryRun: true });
  return `those of ${nameSome(names, mostLeft)}; run: ${command}`;
}

/** Certificates that are named of those whose DNS was not looked at. */
const mostLeft = 3;

function isLooked(line: AnswerFields): boolean {
  return Array.isArray(line.zones) || textOf(line, 'reason') === 'PreflightFailed';
}

/** `shop.example.com` and `*.example.com` are under `example.com`. */
function parentsOf(domains: readonly string[] = []): readonly string[] {
  return domains.map((domain) => domain.split('.').slice(1).join('.'));
}
