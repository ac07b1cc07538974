// What the embedded API server tells everybody who is signed in: which kinds a version of an API group has.
import type { Answer, Request } from '../http-server.ts';
import { NoSuchPath, type ResourceKind } from './status.ts';

/** The list of resources under `/api/v1` or `/apis/GROUP/VERSION`; `undefined` for any other path.
 *  @throws NoSuchPath if the server has no such group or version. */
export function answerDiscovery(
  { method, url }: Request,
  kinds: readonly ResourceKind[],
): Answer | undefined {
  const match = /^\/(?:api\/(?<core>v1)|apis\/(?<group>[^/]+)\/(?<version>[^/]+))\/?$/.exec(url.pathname);
  if (method !== 'GET' || !match?.groups) return undefined;
  const { core, group = '', version = core } = match.groups;
  const found = kinds.filter((kind) => kind.group === group && kind.version === version);
  if (found.length === 0) throw new NoSuchPath();
  const body = {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: found.map(({ resource, kind, namespaced }) => ({
      name: resource,
      singularName: kind.toLowerCase(),
      namespaced,
      kind,
      verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    })),
  };
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
