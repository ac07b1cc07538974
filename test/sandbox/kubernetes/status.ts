// Refusals of the embedded API server, worded as the real one words them (meta/v1 Status).

/** One kind of object and where the API has it. */
export interface ResourceKind {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
  /** `definition`: of a CustomResourceDefinition. `question`: it is answered and not kept. `nobody`: the API
   *  has no such kind. Absent: it is built in. */
  readonly knownBy?: 'definition' | 'question' | 'nobody';
}

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export class StatusError extends Error {
  readonly status: number;
  readonly body: string;
  constructor(status: number, reason: string, message: string, details?: object) {
    super(message);
    this.status = status;
    this.body = JSON.stringify({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details ? { details } : {}),
      code: status,
    });
  }
}

/** `secrets`, `deployments.apps`: a resource as messages name it. */
export function qualify({ resource, group }: ResourceKind): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function detailsOf(kind: ResourceKind, name: string): object {
  return { name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.resource };
}

export function notFound(kind: ResourceKind, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualify(kind)} "${name}" not found`, detailsOf(kind, name));
}

/** The real server answers this one, and only this one, in plain text. */
export class NoSuchPath extends StatusError {
  constructor() {
    super(404, 'NotFound', '404 page not found');
  }
}

export function alreadyExists(kind: ResourceKind, name: string): StatusError {
  const message = `${qualify(kind)} "${name}" already exists`;
  return new StatusError(409, 'AlreadyExists', message, detailsOf(kind, name));
}

const modified =
  'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(kind: ResourceKind, name: string, why = modified): StatusError {
  const message = `Operation cannot be fulfilled on ${qualify(kind)} "${name}": ${why}`;
  return new StatusError(409, 'Conflict', message, detailsOf(kind, name));
}

/** Server-side apply without force over fields of other managers.
 *  @param conflicts `manager` as it is named: in quotes, with what it did. */
export function applyConflict(
  conflicts: readonly { readonly manager: string; readonly field: string }[],
): StatusError {
  const causes = conflicts.map(({ manager, field }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field,
  }));
  const lines = [...Map.groupBy(conflicts, ({ manager }) => manager)]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([manager, fields]) => [
      `conflicts with ${manager}:`,
      ...fields.map(({ field }) => `- ${field}`),
    ]);
  const [only] = conflicts;
  const message =
    only && conflicts.length === 1
      ? `Apply failed with 1 conflict: conflict with ${only.manager}: ${only.field}`
      : `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
  return new StatusError(409, 'Conflict', message, { causes });
}

/** Server-side apply of a field that the kind does not have. The real server gives no reason. */
export function notInSchema(
  { group, version, kind }: ResourceKind,
  where: string,
  field: string,
): StatusError {
  const named = `${where}; ${group}/${version}, Kind=${kind}`;
  const message = `failed to create typed patch object (${named}): .${field}: field not declared in schema`;
  return new StatusError(500, '', message);
}

export function invalid(kind: ResourceKind, name: string, causes: readonly Cause[]): StatusError {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return new StatusError(422, 'Invalid', `${kind.kind} "${name}" is invalid: ${text}`, {
    name,
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.kind,
    causes,
  });
}

export function forbidden(kind: ResourceKind, user: string, verb: string, namespace: string, name: string) {
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const subject = name === '' ? qualify(kind) : `${qualify(kind)} "${name}"`;
  const message = `${subject} is forbidden: User "${user}" cannot ${verb} resource "${kind.resource}" in API group "${kind.group}" ${where}`;
  return new StatusError(403, 'Forbidden', message, detailsOf(kind, name));
}

/** Some objects a cluster cannot be without. */
export function forbidReserved(kind: ResourceKind, name: string): StatusError {
  const message = `${qualify(kind)} "${name}" is forbidden: this ${kind.kind.toLowerCase()} may not be deleted`;
  return new StatusError(403, 'Forbidden', message, detailsOf(kind, name));
}

export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized');
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

export function unsupportedMediaType(type: string): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml (got ${type})`,
  );
}

export function methodNotAllowed(): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
  );
}

export function tooLarge(): StatusError {
  return new StatusError(413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728');
}
