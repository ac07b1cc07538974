// Reads owner references, which anybody who may write an object can set.
import * as z from 'zod';
import type { ObjectOwner } from '../../policy/kubernetes/objects.ts';

/** The API server does not check what an owner reference names, and reports and commands repeat it. */
const ownerReference = z.object({
  apiVersion: z.string().regex(/^(?:[a-z0-9][a-z0-9.-]{0,252}\/)?[a-z0-9]{1,63}$/),
  kind: z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,62}$/),
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,252}$/),
  controller: z.boolean().default(false),
});

/** The object that controls this one, or else the first that it is deleted with. References that name no
 *  object that can exist are left out. */
export function describeOwner(references: readonly unknown[]): { readonly owner?: ObjectOwner } {
  const owners = references.flatMap((reference) => ownerReference.safeParse(reference).data ?? []);
  const found = owners.find(({ controller }) => controller) ?? owners[0];
  if (!found) return {};
  const { apiVersion, kind, name } = found;
  return { owner: { group: apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '', kind, name } };
}
