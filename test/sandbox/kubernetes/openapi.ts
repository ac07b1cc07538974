// OpenAPI v3 of the embedded API server, as far as kubectl needs it: that a kind can be patched, and with
// which parameters. It has no schemas of the kinds.
import type { Answer, Request } from '../http-server.ts';
import { serverVersion } from './discovery.ts';
import { NoSuchPath, type ResourceKind } from './status.ts';

/** The answer to `/openapi/v3` and below; `undefined` for any other path.
 *  @throws NoSuchPath for a group and version that the server does not have. */
export function answerOpenApi({ method, url }: Request, kinds: readonly ResourceKind[]): Answer | undefined {
  if (method !== 'GET' || !/^\/openapi\/v3(\/|$)/.test(url.pathname)) return undefined;
  const places = Map.groupBy(kinds, placeOf);
  const asked = url.pathname.slice('/openapi/v3'.length).replace(/^\/|\/$/g, '');
  if (asked === '') {
    const paths = [...places.keys()].map((place) => [place, { serverRelativeURL: `/openapi/v3/${place}` }]);
    // The real server calls this JSON plain text, too.
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    return { ...json({ paths: Object.fromEntries(paths) }), headers };
  }
  const found = places.get(asked);
  if (!found) throw new NoSuchPath();
  return json({
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: serverVersion.gitVersion },
    paths: Object.fromEntries(found.filter(({ knownBy }) => knownBy !== 'question').map(describePatch)),
    components: { schemas: {} },
  });
}

/** `api/v1`, `apis/apps/v1`: where the document of a kind's group and version is. */
function placeOf({ group, version }: ResourceKind): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

function describePatch(kind: ResourceKind): readonly [string, object] {
  const namespace = kind.namespaced ? 'namespaces/{namespace}/' : '';
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((name) => ({
    name,
    in: 'query',
    schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true },
  }));
  const patch = {
    operationId: `patch${kind.kind}`,
    parameters,
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': { group: kind.group, version: kind.version, kind: kind.kind },
  };
  return [`/${placeOf(kind)}/${namespace}${kind.resource}/{name}`, { patch }];
}

function json(body: object): Answer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
