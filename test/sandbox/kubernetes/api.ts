// Carries out calls on the objects of the embedded API server.
import * as z from 'zod';
import type { Answer, Request } from '../http-server.ts';
import { applyFields, ownChanges } from './managed-fields.ts';
import { type KubernetesObject, kubernetesObject, type ObjectStore } from './objects.ts';
import type { Operators } from './operators.ts';
import { deleteOwned, listOwned } from './owned-objects.ts';
import { mergePatch, strategicMergePatch } from './patches.ts';
import { type ApiCall, readBody, readObject } from './requests.ts';
import type { Rollouts } from './rollouts.ts';
import { badRequest, conflict, invalid, methodNotAllowed, notFound, unsupportedMediaType } from './status.ts';
import { validate, withDefaults } from './validation.ts';

/** What calls work on. */
export interface World {
  readonly objects: ObjectStore;
  readonly rollouts: Rollouts;
  readonly operators: Operators;
  readonly now: () => Date;
  /** Throws a 403 where the caller may not do this too; a patch that makes an object asks for `create`. */
  readonly authorize: (call: ApiCall) => void;
}

/** Answers a call that is allowed. @throws StatusError */
export function answerCall(call: ApiCall, request: Request, world: World): Answer {
  switch (call.verb) {
    case 'get':
      return json(200, get(call, world));
    case 'list':
      return json(200, list(call, request, world));
    case 'create':
      return json(201, create(call, request, world));
    case 'patch':
      return patch(call, request, world);
    case 'delete':
      return json(200, remove(call, request, world));
    case 'update':
      throw methodNotAllowed();
  }
}

function get(call: ApiCall, world: World): object {
  const { kind, namespace, name } = call;
  const owned = listOwned(kind, namespace, world).find(({ metadata }) => metadata.name === name);
  return owned ?? withStatus(world.objects.get(kind, namespace, name), world);
}

function list(call: ApiCall, { url }: Request, world: World): object {
  const { kind, namespace } = call;
  const selector = parseSelector(url.searchParams.get('labelSelector') ?? '');
  const found = [...world.objects.list(kind.resource, namespace), ...listOwned(kind, namespace, world)]
    .filter(({ metadata }) => selector.every(([name, value]) => metadata.labels?.[name] === value))
    .filter(parseFieldSelector(call, url.searchParams.get('fieldSelector') ?? ''));
  const limit = Number(url.searchParams.get('limit') ?? 0) || found.length;
  const start = Number(Buffer.from(url.searchParams.get('continue') ?? '', 'base64url').toString() || 0);
  const end = start + limit;
  const rest = found.length - end;
  return {
    kind: `${kind.kind}List`,
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    metadata: {
      resourceVersion: world.objects.version(),
      ...(rest > 0
        ? { continue: Buffer.from(String(end)).toString('base64url'), remainingItemCount: rest }
        : {}),
    },
    items: found.slice(start, end).map((object) => {
      const { apiVersion: _version, kind: _kind, ...item } = withStatus(object, world);
      return kind.knownBy === 'definition' ? withStatus(object, world) : item;
    }),
  };
}

function create(call: ApiCall, request: Request, world: World): object {
  const object = withDefaults(call.kind, readObject(call, readBody(request)));
  if (object.metadata.resourceVersion) {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  requireNamespace(call, world);
  validate(call.kind, object, undefined);
  const owned = ownChanges(undefined, object, managerOf(request), world.now());
  return withStatus(world.objects.create(call.kind, call.namespace, owned, world.now()), world);
}

function patch(call: ApiCall, request: Request, world: World): Answer {
  const type = request.headers['content-type']?.split(';')[0] ?? '';
  // The server knows no lists' keys of a kind that it has by a definition.
  const isDefined = call.kind.knownBy === 'definition';
  if (type === 'application/apply-patch+yaml') return apply(call, request, world);
  const change =
    type === 'application/merge-patch+json'
      ? mergePatch
      : type === 'application/strategic-merge-patch+json' && !isDefined
        ? strategicMergePatch
        : undefined;
  if (!change) throw unsupportedMediaType(type);
  const before = world.objects.get(call.kind, call.namespace, call.name);
  const patched = withDefaults(call.kind, readObject(call, change(before, readBody(request))));
  validate(call.kind, patched, before);
  const owned = ownChanges(before, patched, managerOf(request), world.now());
  const updated = world.objects.update(call.kind, before, owned);
  const answer = json(200, withStatus(updated, world));
  // An operator acts after the answer, and its own changes call it no more.
  world.objects.update(call.kind, updated, world.operators.correct(updated));
  return answer;
}

function apply(call: ApiCall, request: Request, world: World): Answer {
  const { kind, namespace, name } = call;
  const manager = request.url.searchParams.get('fieldManager');
  if (!manager) {
    const message = 'Required value: is required for apply patch';
    throw invalid({ ...kind, kind: 'PatchOptions', group: 'meta.k8s.io' }, '', [
      { reason: 'FieldValueRequired', field: 'fieldManager', message },
    ]);
  }
  if (kind.group === 'apps') throw unsupportedMediaType('server-side apply of workloads, in this sandbox');
  const applied = readObject(call, readBody(request));
  if (applied.metadata.managedFields) throw badRequest('metadata.managedFields must be nil');
  const force = request.url.searchParams.get('force') === 'true';
  const before = world.objects.find(kind.resource, namespace, name);
  const result = applyFields(before, applied, { manager, force, now: world.now() });
  if (before) {
    validate(kind, withDefaults(kind, result), before);
    return json(200, world.objects.update(kind, before, result));
  }
  // Unlike a POST, it says the name before anything is made.
  world.authorize({ ...call, verb: 'create' });
  if (applied.metadata.resourceVersion) throw conflict(kind, name);
  requireNamespace(call, world);
  const made = withDefaults(kind, result);
  validate(kind, made, undefined);
  return json(201, world.objects.create(kind, namespace, made, world.now()));
}

const deleteOptions = z.object({
  preconditions: z.object({ uid: z.string().optional(), resourceVersion: z.string().optional() }).default({}),
});

function remove(call: ApiCall, request: Request, world: World): object {
  const { kind, namespace, name } = call;
  const { objects } = world;
  if (kind.resource === 'pods' && deleteOwned(name, namespace, world)) {
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details: { name } };
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
  objects.remove(kind, namespace, name);
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, kind: kind.resource, uid },
  };
}

function requireNamespace({ kind, namespace }: ApiCall, { objects }: World): void {
  const [namespaces] = objects.kinds();
  if (kind.namespaced && namespaces && !objects.find('namespaces', '', namespace)) {
    throw notFound(namespaces, namespace);
  }
}

/** The object as read: the status of a workload is what its controller has come to by now. */
function withStatus(object: KubernetesObject, { rollouts, now }: World): KubernetesObject {
  if (!object.apiVersion.startsWith('apps/') && object.kind !== 'Rollout') return object;
  return kubernetesObject.parse({ ...object, status: rollouts.statusOf(object, now().getTime()) });
}

/** Who owns the fields that a call changes: what it says, or the first word of the user agent. */
function managerOf({ url, headers }: Request): string {
  return url.searchParams.get('fieldManager') ?? headers['user-agent']?.split('/')[0] ?? 'unknown';
}

function parseSelector(text: string): readonly (readonly [string, string])[] {
  return text
    .split(',')
    .filter((term) => term !== '')
    .map((term) => {
      const match = /^([^=!]+)==?([^=!]*)$/.exec(term);
      if (!match) throw badRequest(`unable to parse requirement: "${term}"`);
      return [match[1] ?? '', match[2] ?? ''] as const;
    });
}

/** Of all the fields that can be selected by, this sandbox knows the phase of pods. */
function parseFieldSelector({ kind }: ApiCall, text: string): (object: KubernetesObject) => boolean {
  const terms = text.split(',').filter((term) => term !== '');
  const selected = terms.map((term) => {
    const [, field = '', operator = '', value = ''] = /^([^=!]+)(==?|!=)([^=!]*)$/.exec(term) ?? [];
    if (kind.resource !== 'pods' || field !== 'status.phase') {
      throw badRequest(`field label not supported: ${field}`);
    }
    return { isWanted: operator !== '!=', value };
  });
  return (object) => {
    const { phase = 'Pending' } = podStatus.parse(object).status;
    return selected.every(({ isWanted, value }) => isWanted === (phase === value));
  };
}

const podStatus = z.object({ status: z.object({ phase: z.string().optional() }).default({}) });

function json(status: number, body: object): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
