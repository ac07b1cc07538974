// What today's inventory does not allow of certificates, by their tags alone.
import type { Inventory } from '../../certificate/spec.ts';
import type { CertificateState } from '../../state/state.ts';
import { createFit } from './fit.ts';
import { type Installation, isGraceOpen, type Misfits, notAllowed } from './grace.ts';

/** A certificate's AWS secret as a list shows it. */
interface TaggedCertificate {
  readonly name: string;
  readonly state: CertificateState;
}

/** Misfits by certificate, with the end of grace that `issue` has recorded on tags. Certificates that fit are
 *  not in it, nor are those of the inventory file. */
export function findTaggedMisfits(
  entries: Iterable<TaggedCertificate>,
  inventory: Inventory,
): ReadonlyMap<string, Misfits> {
  const fit = createFit(inventory);
  const inFile = new Set(inventory.certificates.map(({ name }) => name));
  return new Map(
    [...entries].flatMap(({ name, state }) => {
      const { source, targets, graceUntil: grace, error } = state;
      if (!source || inFile.has(name)) return [];
      const { found } = fit.ofTags({ name, source, domains: state.domains, targets });
      const isMarked = grace !== undefined || error === notAllowed;
      return found.length > 0 || isMarked ? [[name, { found, ...(grace && { grace }) }] as const] : [];
    }),
  );
}

/** The same, with an open grace where none is recorded and the first full pass of `issue` has not run yet. */
export function openGrace(
  misfits: ReadonlyMap<string, Misfits>,
  installation: Installation,
): ReadonlyMap<string, Misfits> {
  if (!isGraceOpen(installation)) return misfits;
  return new Map([...misfits].map(([name, one]) => [name, { grace: 'open', ...one }]));
}
