// Carries out calls on the objects of the embedded API server.
import type { Answer, Request } from '../http-server.ts';
import { answerJson, type World, withStatus } from './call-context.ts';
import { answerRemove } from './deletion.ts';
import { applyFields, ownChanges } from './managed-fields.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from './patches.ts';
import { answerGet, answerList, answerWatch } from './reading.ts';
import { type ApiCall, readBody, readDryRun, readObject } from './requests.ts';
import { answerReview } from './reviews.ts';
import { badRequest, conflict, invalid, notFound, notInSchema, unsupportedMediaType } from './status.ts';
import { findUnknownField, validate, withDefaults } from './validation.ts';

export type { World };

/** Answers a call that is allowed. @throws StatusError */
export function answerCall(call: ApiCall, request: Request, asked: World): Answer {
  // What a dry run changes is forgotten.
  const world = readDryRun(call, request) ? { ...asked, objects: asked.objects.copy() } : asked;
  switch (call.verb) {
    case 'get':
      return answerGet(call, request, world);
    case 'list':
      return answerList(call, request, world);
    case 'watch':
      return answerWatch(call, request, world);
    case 'create':
      return call.kind.knownBy === 'question'
        ? answerJson(201, answerReview(call, readBody(request), world))
        : answerJson(201, create(call, request, world));
    case 'update':
      return answerJson(200, update(call, request, world));
    case 'patch':
      return patch(call, request, world);
    case 'delete':
      return answerRemove(call, request, world);
  }
}

function create(call: ApiCall, request: Request, world: World): object {
  const object = withDefaults(call.kind, readWhole(call, request));
  if (object.metadata.resourceVersion) {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  requireNamespace(call, world);
  validate(call.kind, object, undefined);
  const owned = ownChanges(undefined, object, managerOf(request), world.now());
  return withStatus(world.objects.create(call.kind, call.namespace, owned, world.now()), world);
}

/** The object of a request, which has no unknown field if the request wants strict validation. */
function readWhole(call: ApiCall, request: Request) {
  const object = readObject(call, readBody(request));
  const unknown = findUnknownField(call.kind, object);
  if (unknown !== undefined && request.url.searchParams.get('fieldValidation') === 'Strict') {
    const { version, kind } = call.kind;
    throw badRequest(
      `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: unknown field "${unknown}"`,
    );
  }
  return object;
}

function update(call: ApiCall, request: Request, world: World): object {
  const before = world.objects.get(call.kind, call.namespace, call.name);
  const { status: _status, ...given } = readWhole(call, request);
  const after = withDefaults(call.kind, readObject(call, { ...given, status: before.status }));
  return change(call, { before, after }, request, world);
}

function patch(call: ApiCall, request: Request, world: World): Answer {
  const type = request.headers['content-type']?.split(';')[0] ?? '';
  // The server knows no lists' keys of a kind that it has by a definition.
  const isDefined = call.kind.knownBy === 'definition';
  if (type === 'application/apply-patch+yaml') return apply(call, request, world);
  const changes: Readonly<Record<string, typeof mergePatch>> = {
    'application/json-patch+json': jsonPatch,
    'application/merge-patch+json': mergePatch,
    ...(isDefined ? {} : { 'application/strategic-merge-patch+json': strategicMergePatch }),
  };
  const changed = changes[type];
  if (!changed) throw unsupportedMediaType(type);
  const before = world.objects.get(call.kind, call.namespace, call.name);
  const after = withDefaults(call.kind, readObject(call, changed(before, readBody(request))));
  return answerJson(200, change(call, { before, after }, request, world));
}

/** Stores what a call has made of an object, and gives it as the answer has it. */
function change(
  { kind }: ApiCall,
  { before, after }: Readonly<Record<'before' | 'after', ReturnType<typeof withDefaults>>>,
  request: Request,
  world: World,
): object {
  validate(kind, after, before);
  const { managedFields } = after.metadata;
  // Whoever writes the entries himself is believed, as kubectl does when it moves to server-side apply.
  const isOwnedAnew =
    managedFields && JSON.stringify(managedFields) !== JSON.stringify(before.metadata.managedFields);
  const owned = isOwnedAnew ? after : ownChanges(before, after, managerOf(request), world.now());
  const updated = world.objects.update(kind, before, owned);
  const answer = withStatus(updated, world);
  // An operator acts after the answer, and its own changes call it no more.
  world.objects.update(kind, updated, world.operators.correct(updated));
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
  const applied = readObject(call, readBody(request));
  const unknown = findUnknownField(kind, applied);
  if (unknown !== undefined) throw notInSchema(kind, `${namespace}/${name}`, unknown);
  if (applied.metadata.managedFields) throw badRequest('metadata.managedFields must be nil');
  const force = request.url.searchParams.get('force') === 'true';
  const before = world.objects.find(kind.resource, namespace, name);
  const result = withDefaults(kind, applyFields(before, applied, { manager, force, now: world.now() }));
  validate(kind, result, before);
  if (before) return answerJson(200, withStatus(world.objects.update(kind, before, result), world));
  // Unlike a POST, it says the name before anything is made.
  world.authorize({ ...call, verb: 'create' });
  if (applied.metadata.resourceVersion) throw conflict(kind, name);
  requireNamespace(call, world);
  return answerJson(201, withStatus(world.objects.create(kind, namespace, result, world.now()), world));
}

function requireNamespace({ kind, namespace }: ApiCall, { objects }: World): void {
  const [namespaces] = objects.kinds();
  if (kind.namespaced && namespaces && !objects.find('namespaces', '', namespace)) {
    throw notFound(namespaces, namespace);
  }
}

/** Who owns the fields that a call changes: what it says, or the first word of the user agent. */
function managerOf({ url, headers }: Request): string {
  return url.searchParams.get('fieldManager') ?? headers['user-agent']?.split('/')[0] ?? 'unknown';
}
