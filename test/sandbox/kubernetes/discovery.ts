// What the embedded API server tells everybody who is signed in: its API groups, their versions and kinds,
// in the older form and in the aggregated one (kubernetes.io/docs/concepts/overview/kubernetes-api).
import { createHash } from 'node:crypto';
import type { Answer, Request } from '../http-server.ts';
import { verbsOf } from './kinds.ts';
import { NoSuchPath, type ResourceKind } from './status.ts';

/** The version that the server says it has. */
export const serverVersion = { major: '1', minor: '35', gitVersion: 'v1.35.0' } as const;

const aggregatedForms = ['v2', 'v2beta1'] as const;

/** The answer to a question about the API itself, `/version`, `/api`, `/apis` and below; `undefined` for any
 *  other path. @throws NoSuchPath if the server has no such group or version. */
export function answerDiscovery(
  { method, url, headers }: Request,
  kinds: readonly ResourceKind[],
): Answer | undefined {
  if (method !== 'GET') return undefined;
  const path = url.pathname.replace(/\/$/, '');
  if (path === '/version') return json({ ...serverVersion, ...build });
  const form = path === '/api' || path === '/apis' ? findForm(headers.accept) : undefined;
  const groups = groupsOf(kinds);
  if (form) return aggregate(form, path === '/api' ? [''] : groups, kinds);
  if (path === '/api') return json({ kind: 'APIVersions', versions: ['v1'] });
  if (path === '/apis') {
    const described = groups.map((group) => describeGroup(group, kinds));
    return json({ kind: 'APIGroupList', apiVersion: 'v1', groups: described });
  }
  const [, asked] = /^\/apis\/([^/]+)$/.exec(path) ?? [];
  if (asked !== undefined) {
    if (!groups.includes(asked)) throw new NoSuchPath();
    return json({ kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(asked, kinds) });
  }
  return answerResources(path, kinds);
}

function answerResources(path: string, kinds: readonly ResourceKind[]): Answer | undefined {
  const match = /^\/(?:api\/(?<core>v1)|apis\/(?<group>[^/]+)\/(?<version>[^/]+))$/.exec(path);
  if (!match?.groups) return undefined;
  const { core, group = '', version = core } = match.groups;
  const found = kinds.filter((kind) => kind.group === group && kind.version === version);
  if (found.length === 0) throw new NoSuchPath();
  const resources = found.map((one) => ({
    name: one.resource,
    singularName: one.kind.toLowerCase(),
    namespaced: one.namespaced,
    kind: one.kind,
    verbs: verbsOf(one),
    ...namesOf(one),
  }));
  const groupVersion = group === '' ? version : `${group}/${version}`;
  return json({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources });
}

/** Which aggregated form the client takes, its first choice first. */
function findForm(accept = ''): (typeof aggregatedForms)[number] | undefined {
  const asked = accept.split(',').map((range) => new Set(range.split(';').map((part) => part.trim())));
  return asked.flatMap((parts) => {
    const isList = parts.has('g=apidiscovery.k8s.io') && parts.has('as=APIGroupDiscoveryList');
    return isList ? aggregatedForms.filter((form) => parts.has(`v=${form}`)) : [];
  })[0];
}

function aggregate(
  form: (typeof aggregatedForms)[number],
  groups: readonly string[],
  kinds: readonly ResourceKind[],
): Answer {
  const items = groups.map((group) => ({
    metadata: group === '' ? {} : { name: group },
    versions: versionsOf(group, kinds).map((version) => ({
      version,
      freshness: 'Current',
      resources: kinds
        .filter((kind) => kind.group === group && kind.version === version)
        .map((kind) => ({
          resource: kind.resource,
          responseKind: { group, version, kind: kind.kind },
          scope: kind.namespaced ? 'Namespaced' : 'Cluster',
          singularResource: kind.kind.toLowerCase(),
          verbs: verbsOf(kind),
          ...namesOf(kind),
        })),
    })),
  }));
  const apiVersion = `apidiscovery.k8s.io/${form}`;
  const answer = json({ kind: 'APIGroupDiscoveryList', apiVersion, metadata: {}, items });
  const etag = createHash('sha256')
    .update(answer.body ?? '')
    .digest('hex');
  return {
    ...answer,
    headers: {
      'content-type': `application/json;g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList`,
      etag: `"${etag}"`,
      vary: 'Accept',
    },
  };
}

function namesOf({ shortNames, categories }: ResourceKind): object {
  return { ...(shortNames ? { shortNames } : {}), ...(categories ? { categories } : {}) };
}

/** The named API groups, without the core one. */
function groupsOf(kinds: readonly ResourceKind[]): readonly string[] {
  return [...new Set(kinds.map(({ group }) => group))].filter((group) => group !== '');
}

function versionsOf(group: string, kinds: readonly ResourceKind[]): readonly string[] {
  return [...new Set(kinds.filter((kind) => kind.group === group).map(({ version }) => version))];
}

function describeGroup(group: string, kinds: readonly ResourceKind[]): object {
  const versions = versionsOf(group, kinds).map((version) => ({
    groupVersion: `${group}/${version}`,
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] };
}

const build = {
  gitCommit: 'sandbox',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'linux/amd64',
};

function json(body: object): Answer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
