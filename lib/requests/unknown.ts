// The error for a name that nobody knows, with the nearest one that somebody does.
import { keepFailures, once } from '../async/promise-cache.ts';
import type { Inventory } from '../certificate/spec.ts';
import { nameSome, oneLine } from '../policy/bounds.ts';
import { invokeCommand } from '../policy/commands.ts';
import { findNearest } from '../policy/nearest.ts';
import { PartError } from '../ports/errors.ts';
import type { CertificateStore } from '../ports/store.ts';
import { RequestError } from './errors.ts';

/** What tells which names there are. */
export interface KnownNames {
  readonly inventory: Inventory;
  /** Only asked once a name is unknown. Absent: the function may not list the store, and the inventory alone
   *  is searched for a name that is near. */
  readonly store?: Pick<CertificateStore, 'list'> | undefined;
  readonly signal: AbortSignal;
}

/** Names of one call that near ones are searched for: that many wrong names are no misspelling. */
const mostSearched = 20;

/** Makes the error for a certificate's name that neither the inventory nor the store has. The store is listed
 *  at most once, and only to find a name that is near; if that fails, none of its names is suggested. */
export function createRefusal(sources: KnownNames): (name: string) => Promise<PartError> {
  const list = once(() => listNames(sources), keepFailures);
  let searched = 0;
  return async (name) => {
    searched += 1;
    return unknownCertificate(name, searched > mostSearched ? undefined : findNearest(name, await list()));
  };
}

/** The error for one name. @param nearest The name that may have been meant. */
export function unknownCertificate(name: string, nearest?: string): PartError {
  const message = `no certificate is called ${quote(name)}, neither in the inventory nor by registration; ${advise(nearest)}`;
  const list = nearest === undefined ? undefined : { certificates: [nearest] };
  return new PartError(name, new RequestError('Unknown', message), {
    command: invokeCommand('status', list),
  });
}

/** The error for a cluster, an issuer or a target that is not there.
 *  @param kind Such as `the inventory has no cluster`.
 *  @param known Names that there are. */
export function unknownPart(kind: string, name: string, known: Iterable<string>): PartError {
  const names = [...new Set(known)].toSorted();
  const nearest = findNearest(name, names);
  const there = `there ${names.length === 1 ? 'is only' : 'are'} ${nameSome(names, mostListed)}`;
  const advice = nearest === undefined && names.length > 0 ? there : advise(nearest);
  return new PartError(name, new RequestError('Unknown', `${kind} ${quote(name)}; ${advice}`));
}

/** Names that a message lists if none is near. */
const mostListed = 10;

function advise(nearest: string | undefined): string {
  return nearest === undefined ? 'check its spelling' : `did you mean ${quote(nearest)}?`;
}

function quote(name: string): string {
  return JSON.stringify(oneLine(name, 200));
}

async function listNames({ inventory, store, signal }: KnownNames): Promise<readonly string[]> {
  const inFile = inventory.certificates.map(({ name }) => name);
  const stored = store ? await store.list(signal).catch(() => []) : [];
  return [...inFile, ...stored.map(({ name }) => name)];
}
