// What the reports of the functions tell of DNS, clusters, issuers, agents and channels.
import { nameSome } from '../../../lib/policy/bounds.ts';
import { invokeCommand } from '../../../lib/policy/commands.ts';
import { type AnswerFields, fieldsOf, listOf, numberOf, textOf, textsOf } from '../answer.ts';
import { listDeliveries } from '../delivery-rows.ts';
import { localizeTimes } from '../text.ts';
import { type CheckedPart, fine, unseen, wrong } from './part.ts';

/** Different messages that one line names. */
const mostMessages = 3;

/** Hosted zones, and certificates whose next order would fail, by DNS or the CA.
 *  @param lines Of dry runs of `issue`: those that `lookAtDns` gives. */
export function checkZones(lines: readonly AnswerFields[]): readonly CheckedPart[] {
  const troubles = lines.flatMap((line): readonly CheckedPart[] => {
    const isStopped = textOf(line, 'reason') === 'PreflightFailed';
    const words = [...(isStopped ? [textOf(line, 'message')] : []), ...textsOf(line, 'warnings')];
    return words.length === 0
      ? []
      : [wrong(`order/${textOf(line, 'name')}`, localizeTimes(words.join('; ')))];
  });
  const zones = Map.groupBy(
    lines
      .filter(isQuiet)
      .flatMap((line) => textsOf(line, 'zones').map((zone) => ({ zone, name: textOf(line, 'name') }))),
    ({ zone }) => zone,
  );
  const found = [...zones].map(([zone, users]) =>
    fine(
      `zone/${zone}`,
      `delegated, and takes the records of ${nameSome([...new Set(users.map(({ name }) => name))], 3)}`,
    ),
  );
  return [...troubles, ...found];
}

/** Whether nothing would be in an order's way. */
function isQuiet(line: AnswerFields): boolean {
  return textOf(line, 'reason') !== 'PreflightFailed' && textsOf(line, 'warnings').length === 0;
}

/** One cluster that `deploy` reaches: whether it may look there.
 *  @param cluster Its entry in the report of `status`.
 *  @param deliveries Report of a dry run of `deploy` into it; else why there is none. */
export function checkCluster(cluster: AnswerFields, deliveries: AnswerFields | string): CheckedPart {
  const name = textOf(cluster, 'name');
  const part = `cluster/${name}`;
  const isIll = textOf(cluster, 'health') === 'Degraded';
  if (typeof deliveries === 'string')
    return isIll ? wrong(part, describeHealth(cluster)) : unseen(part, deliveries);
  // What the inventory does not allow is a trouble of that certificate, wherever it goes.
  const disallowed = new Set(
    listOf(deliveries, 'failures')
      .filter((one) => textOf(one, 'code') === 'NotAllowed')
      .map((one) => textOf(one, 'what')),
  );
  const all = listDeliveries(deliveries).filter(
    ({ target, certificate }) => target.split('/')[0] === name && !disallowed.has(certificate),
  );
  const stopped = all.filter(({ outcome }) => outcome === 'refused' || outcome === 'pending');
  if (stopped.length > 0) return wrong(part, joinMessages(stopped.map(({ message }) => message)));
  if (isIll) return wrong(part, describeHealth(cluster));
  if (textsOf(deliveries, 'handedOn').includes(name))
    return unseen(part, 'another run of deploy looks at it now; check again');
  const read = all.filter(({ outcome }) => outcome === 'planned' || outcome === 'unchanged').length;
  return read > 0
    ? fine(part, `reached, and ${read === 1 ? 'one target' : `${read} targets`} may be read`)
    : unseen(part, 'nothing goes there now: order something, or wait for its window, then check again');
}

/** The clusters of a report of `status` that `deploy` reaches. */
export function reachedOf(status: AnswerFields): readonly AnswerFields[] {
  const agents = new Set(listOf(status, 'agents').map((agent) => textOf(agent, 'name')));
  return listOf(status, 'clusters').filter((cluster) => !agents.has(textOf(cluster, 'name')));
}

/** Reasons of certificates whose last order did not end well. */
const failedOrders: ReadonlySet<string> = new Set([
  'OrderFailing',
  'BackingOff',
  'RateLimited',
  'PausedByCA',
]);

/** Certificates whose last order was refused or failed, as `status` remembers it: a CA that answers every
 *  question may have refused the order a moment ago. */
export function checkOrders(status: AnswerFields): readonly CheckedPart[] {
  return listOf(status, 'certificates')
    .filter((one) => failedOrders.has(textOf(one, 'reason')) && textOf(one, 'cause') === '')
    .map((one) => wrong(`order/${textOf(one, 'name')}`, describeHealth(one)));
}

/** How many certificates are ill. Each of them is told by `certrelay status`. */
export function checkCertificates(status: AnswerFields): CheckedPart {
  const certificates = listOf(status, 'certificates');
  const left = numberOf(status, 'omitted') ?? 0;
  const all = certificates.length + left;
  if (all === 0) return fine('certificates', 'there is none yet');
  const ill = certificates.filter((one) => textOf(one, 'health') === 'Degraded');
  // The worst are listed, and perhaps not all of them.
  const count = numberOf(fieldsOf(status.summary), 'Degraded') ?? ill.length;
  const names = nameSome(
    ill.map((one) => textOf(one, 'name')),
    3,
  );
  return ill.length === 0
    ? fine('certificates', `none of ${all} is Degraded`)
    : wrong('certificates', `Degraded, ${count} of ${all}: ${names}; run: ${invokeCommand('status')}`);
}

function joinMessages(messages: readonly string[]): string {
  const distinct = [...new Set(messages)];
  const more = distinct.length - mostMessages;
  return [...distinct.slice(0, mostMessages), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

const judgedKinds = { issuers: 'issuer', agents: 'agent', functions: 'function', channels: 'channel' };

/** What `status` judges beside certificates and clusters. What is fine of functions is no line of its own. */
export function checkJudged(status: AnswerFields): readonly CheckedPart[] {
  const refused = checkOrders(status);
  return Object.entries(judgedKinds).flatMap(([key, kind]) =>
    listOf(status, key).flatMap((entry): readonly CheckedPart[] => {
      const part = `${kind}/${textOf(entry, 'name')}`;
      const isFine = ['Healthy', 'Suspended'].includes(textOf(entry, 'health'));
      if (!isFine) return [wrong(part, describeHealth(entry))];
      if (kind === 'function') return [];
      const isAsked = kind === 'issuer' && refused.length > 0;
      const names = nameSome(
        refused.map((one) => one.part),
        3,
      );
      return [
        isAsked
          ? unseen(part, `nothing of its own is known, and orders failed: see ${names}`)
          : fine(part, describeHealth(entry)),
      ];
    }),
  );
}

function describeHealth(entry: AnswerFields): string {
  const command = textOf(entry, 'command');
  const words = localizeTimes(textOf(entry, 'message'));
  return command === '' ? words : `${words}; run: ${command}`;
}
