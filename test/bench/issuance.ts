// Measures runs that order certificates: what they ask of the CA and of Route 53, and how long they take.
import type { Call } from '../sandbox/journal.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { invoke } from './quiet-sandbox.ts';

/** Where a CA's traffic can be seen: at the sandbox's own, or at a front in front of a real one. */
export interface SeenAuthority {
  /** Every request so far. */
  requests(): readonly Call[];
  /** TLS connections accepted so far. */
  connections(): number;
}

/** One run of the issue function. */
export interface Issuance {
  readonly certificates: number;
  readonly ms: number;
  /** Requests to the CA, repeated looks at one order not counted. */
  readonly acmeRequests: number;
  readonly repeatedLooks: number;
  readonly nonceRequests: number;
  readonly connections: number;
  readonly route53Changes: number;
}

/** What a run over a known account may ask of its CA, for certificates of a name and its wildcard each: each
 *  order is made, looked at by one authorization, finalized and downloaded, each name read and answered; the
 *  directory and a nonce come on top. `looks`: at the order, of a CA that issues after it has answered
 *  finalize. */
export function acmeBudget(certificates: number, looks: 0 | 1 = 0): number {
  return certificates * (4 + 2 * 2 + looks) + 2;
}

/** Puts `count` new certificates, each of an apex and its wildcard, into the inventory and runs the issue
 *  function. `tag` keeps them apart from others.
 *  @throws Error where not all are issued. */
export async function measureIssuance(
  sandbox: Sandbox,
  count: number,
  tag: string,
  authority: SeenAuthority = ownAuthority(sandbox),
  zone = 'example.com',
): Promise<Issuance> {
  await sandbox.setCertificates(Array.from({ length: count }, (_, index) => pairOf(`${tag}-${index}`, zone)));
  const [requests, connections] = [authority.requests().length, authority.connections()];
  const { ms, calls } = await invoke(sandbox, 'issue');
  const asked = authority.requests().slice(requests);
  const looks = asked.filter(({ resource }) => /\/(acme\/order|my-order)\//.test(resource));
  const repeatedLooks = looks.length - new Set(looks.map(({ resource }) => resource)).size;
  return {
    certificates: count,
    ms,
    acmeRequests: asked.length - repeatedLooks,
    repeatedLooks,
    nonceRequests: asked.filter(({ resource }) => /\/(new-nonce|nonce-plz)$/.test(resource)).length,
    connections: authority.connections() - connections,
    route53Changes: calls.filter(({ action }) => action === 'ChangeResourceRecordSets').length,
  };
}

function ownAuthority({ journal, authority }: Sandbox): SeenAuthority {
  return { requests: () => journal.find({ service: 'acme' }), connections: () => authority.connections() };
}

function pairOf(name: string, zone: string): object {
  return { name, domains: [`${name}.${zone}`, `*.${name}.${zone}`] };
}
