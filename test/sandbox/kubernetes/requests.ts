// Reads a request to the embedded API server: which verb on which resource, and the object or patch in its
// body.
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import type { Request } from '../http-server.ts';
import { verbsOf } from './kinds.ts';
import { type KubernetesObject, kubernetesObject } from './objects.ts';
import { readProtobuf } from './protobuf.ts';
import {
  badRequest,
  methodNotAllowed,
  NoSuchPath,
  type ResourceKind,
  tooLarge,
  unsupportedMediaType,
} from './status.ts';

/** One call, in the API's words. */
export interface ApiCall {
  readonly kind: ResourceKind;
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  /** Empty at the cluster scope, and for lists of all namespaces. */
  readonly namespace: string;
  /** Empty for lists and for creations. */
  readonly name: string;
}

const verbs = { GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const;
const maxBodyBytes = 3 * 1_048_576;

/** A call of a kind that nobody knows is a call, too: whether it is allowed is judged first.
 *  @throws StatusError 404 for a path that is no resource's, 405 for a method that the API does not know
 *  there. */
export function readCall({ method, url }: Request, kinds: readonly ResourceKind[]): ApiCall {
  const match = /^\/(?:api\/(?<core>v1)|apis\/(?<group>[^/]+)\/(?<version>[^/]+))\/(?<rest>.+)$/.exec(
    url.pathname,
  );
  const { core, group = '', version = core, rest = '' } = match?.groups ?? {};
  const parts = rest.split('/').map(decodeURIComponent);
  const isInNamespace = parts[0] === 'namespaces' && parts.length > 2;
  const namespace = isInNamespace ? (parts[1] ?? '') : '';
  const [resource, name = '', more] = isInNamespace ? parts.slice(2) : parts;
  if (!resource || !version || more !== undefined) throw new NoSuchPath();
  const kind = kinds.find(
    (known) => known.resource === resource && known.group === group && known.version === version,
  ) ?? { group, version, resource, kind: '', namespaced: isInNamespace, knownBy: 'nobody' };
  if (isInNamespace && !kind.namespaced) throw new NoSuchPath();
  if (kind.namespaced && namespace === '' && name !== '') throw new NoSuchPath();
  if (method === 'GET' && url.searchParams.get('watch') === 'true') {
    return { kind, verb: 'watch', namespace, name };
  }
  if (!verbsOf(kind).includes('get') && method !== 'POST') throw methodNotAllowed();
  if (name === '') {
    if (method === 'GET') return { kind, verb: 'list', namespace, name };
    if (method === 'POST' && (namespace !== '' || !kind.namespaced))
      return { kind, verb: 'create', namespace, name };
    throw methodNotAllowed();
  }
  if (method !== 'GET' && method !== 'PUT' && method !== 'PATCH' && method !== 'DELETE')
    throw methodNotAllowed();
  return { kind, verb: verbs[method], namespace, name };
}

/** The body as data: JSON, protobuf of some kinds, or YAML for server-side apply. */
export function readBody({ body, headers }: Pick<Request, 'body' | 'headers'>): unknown {
  if (body.byteLength > maxBodyBytes) throw tooLarge();
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/vnd.kubernetes.protobuf')) return readProtobufBody(body);
  const text = body.toString('utf8');
  try {
    return type.includes('yaml') ? parseYaml(text) : JSON.parse(text);
  } catch {
    throw badRequest("the object provided is unrecognized: couldn't parse the body");
  }
}

function readProtobufBody(body: Buffer): unknown {
  let object: object | undefined;
  try {
    object = readProtobuf(body);
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: ${String(error)}`);
  }
  if (object) return object;
  const advice = 'protobuf of this kind, which this sandbox does not read; apply a manifest instead';
  throw unsupportedMediaType(advice);
}

/** Whether nothing is to be stored. @throws StatusError 400 for another value than `All`. */
export function readDryRun({ verb, kind }: ApiCall, { url, body, headers }: Request): boolean {
  const values = url.searchParams.getAll('dryRun');
  const inBody = verb === 'delete' && body.length > 0 ? dryRunIn(readBody({ body, headers })) : [];
  for (const value of [...values, ...inBody]) {
    if (value !== 'All') {
      const why = `Unsupported value: "${value}": supported values: "All"`;
      throw badRequest(`${kind.kind}: dryRun: ${why}`);
    }
  }
  return values.length + inBody.length > 0;
}

function dryRunIn(options: unknown): readonly string[] {
  return z.object({ dryRun: z.array(z.string()).default([]) }).parse(options).dryRun;
}

/** The body as a whole object of the call's kind, with the name and namespace of the path. */
export function readObject(call: ApiCall, body: unknown): KubernetesObject {
  const parsed = kubernetesObject.safeParse(body);
  if (!parsed.success) {
    throw badRequest(
      `the object provided is unrecognized: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`,
    );
  }
  const object = parsed.data;
  const { group, version, kind } = call.kind;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  if (object.kind !== kind || object.apiVersion !== apiVersion) {
    throw badRequest(`${object.kind} in version "${object.apiVersion}" cannot be handled as a ${kind}`);
  }
  const { name, namespace } = object.metadata;
  if (call.name !== '' && call.name !== name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`);
  }
  if (namespace !== undefined && namespace !== call.namespace) {
    throw badRequest(
      `the namespace of the provided object does not match the namespace sent on the request (${namespace} != ${call.namespace})`,
    );
  }
  return object;
}
