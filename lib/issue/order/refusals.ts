// Says in the CA's words why the names of an order were not validated.

import { oneLine } from '../../policy/bounds.ts';
import { AcmeError, type Authorization, type Order } from '../../ports/acme.ts';

/** The longest explanation of a failure, and the longest name in it, in characters. */
const maxExplanation = 4_000;
const maxNameLength = 260;

/** Whether an authorization is invalid, deactivated, expired or revoked: then its order is over too, whatever
 *  the order says (RFC 8555 §7.1.6). */
export function isOver({ status }: Authorization): boolean {
  return status !== 'pending' && status !== 'valid';
}

/** Why an order is over: by its authorizations' challenges, or else by the order itself, or else by what its
 *  authorizations have become. */
export function describeRefusals(order: Order, authorizations: readonly Authorization[]): AcmeError {
  const byChallenges = authorizations.flatMap(({ name, challenges }) => {
    const problem = challenges.find((challenge) => challenge.problem)?.problem;
    return problem ? [{ name, problem }] : [];
  });
  const byStatus = authorizations.filter(isOver).map(({ name, status }) => ({
    name,
    problem: { type: 'unauthorized', detail: `its authorization is ${status}`, identifiers: [] },
  }));
  const isExplained = byChallenges.length > 0 || order.problem !== undefined;
  const failed = isExplained ? byChallenges : byStatus;
  const names = failed.map(({ name }) => oneLine(name, maxNameLength));
  const problem = failed[0]?.problem ??
    order.problem ?? { type: 'serverInternal', detail: 'the CA does not say why', identifiers: [] };
  // A name and its wildcard have an authorization each.
  const all = new Set(failed.map(({ problem: { detail } }, index) => `${names[index]}: ${detail}`));
  const detail = failed.length > 0 ? oneLine([...all].join('; '), maxExplanation) : problem.detail;
  const state = order.status === 'invalid' ? 'invalid' : `${order.status}, but can never become valid`;
  return new AcmeError('Invalid', `order ${order.url} is ${state}: ${problem.type}: ${detail}`, {
    problem: { ...problem, detail, identifiers: names },
  });
}
