// Deletes objects of the embedded API server: pods of workloads, namespaces with what is in them, and the
// rest.
import * as z from 'zod';
import type { Answer, Request } from '../http-server.ts';
import { answerJson, type World } from './call-context.ts';
import { deleteOwned } from './owned-objects.ts';
import { type ApiCall, readBody } from './requests.ts';
import { conflict, forbidReserved } from './status.ts';

const deleteOptions = z.object({
  preconditions: z.object({ uid: z.string().optional(), resourceVersion: z.string().optional() }).default({}),
});

/** Answers `delete`. What is in a namespace goes with it, at once. @throws StatusError */
export function answerRemove(call: ApiCall, request: Request, world: World): Answer {
  const { kind, namespace, name } = call;
  const { objects } = world;
  if (kind.resource === 'pods' && deleteOwned(name, namespace, world)) {
    return answerJson(200, succeed({ name }));
  }
  const found = objects.get(kind, namespace, name);
  const options = request.body.length === 0 ? {} : readBody(request);
  const { preconditions } = deleteOptions.parse(options);
  const { uid = '', resourceVersion } = found.metadata;
  if (preconditions.uid !== undefined && preconditions.uid !== uid) {
    throw conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${uid}`,
    );
  }
  if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    throw conflict(
      kind,
      name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
  }
  if (kind.resource === 'namespaces') {
    if (name === 'default') throw forbidReserved(kind, name);
    for (const one of objects.kinds().filter(({ namespaced }) => namespaced)) {
      for (const { metadata } of objects.list(one.resource, name)) objects.remove(one, name, metadata.name);
    }
  }
  objects.remove(kind, namespace, name);
  if (kind.resource !== 'namespaces') return answerJson(200, succeed({ name, kind: kind.resource, uid }));
  const deletionTimestamp = world
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
  const metadata = { ...found.metadata, deletionTimestamp };
  return answerJson(200, { ...found, metadata, status: { phase: 'Terminating' } });
}

function succeed(details: object): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
