// What a DNS question without an answer means for an order.
import type { Unanswered } from './preflight-facts.ts';

/** Whether a server answered, without what was asked for: an order would meet the same. */
export function isAnswered({ isServfail, isRefused = false }: Unanswered): boolean {
  return isServfail || isRefused;
}

/** What was not answered, what follows, and what to look at. */
export function explainUnanswered({ problem, isServfail, isRefused = false }: Unanswered): string {
  if (isServfail)
    return `${problem}; a CA refuses on SERVFAIL; check the name servers of the zone, and its DNSSEC`;
  if (isRefused)
    return `${problem}; a server refuses names whose zone it does not have; check the NS records of the zone, at its registrar or in the parent zone`;
  return `${problem}; check that the name servers of the zone can be reached`;
}
