// What calls of the embedded API server work on, and what they share.
import type { Answer } from '../http-server.ts';
import { type KubernetesObject, kubernetesObject, type ObjectStore } from './objects.ts';
import type { Operators } from './operators.ts';
import type { ApiCall } from './requests.ts';
import type { Rollouts } from './rollouts.ts';

/** What calls work on, for one caller. */
export interface World {
  readonly user: string;
  readonly objects: ObjectStore;
  readonly rollouts: Rollouts;
  readonly operators: Operators;
  readonly now: () => Date;
  /** Throws a 403 where the caller may not do this too; a patch that makes an object asks for `create`. */
  readonly authorize: (call: Omit<ApiCall, 'verb'> & { readonly verb: string }) => void;
  /** The rules of the caller's roles, in a namespace and those that hold everywhere. */
  readonly rulesIn: (namespace: string) => readonly object[];
}

/** The object as read: the status of a workload is what its controller has come to by now. */
export function withStatus(object: KubernetesObject, { rollouts, now }: World): KubernetesObject {
  if (!object.apiVersion.startsWith('apps/') && object.kind !== 'Rollout') return object;
  return kubernetesObject.parse({ ...object, status: rollouts.statusOf(object, now().getTime()) });
}

/** An answer of JSON. */
export function answerJson(status: number, body: object): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
