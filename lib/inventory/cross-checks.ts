// Finds mistakes between parts of the inventory: repeats, and references to undefined issuers or clusters.

import { parseName } from '../certificate/name-parsing.ts';
import { acmName, findAcmMistakes } from './acm-checks.ts';
import { findAgentMistakes } from './agent-checks.ts';
import { type CertificateOutline, findIssuerUsers, type Outline, parseOutline } from './outline.ts';
import { formatPath, type InventoryMistake } from './problems.ts';
import { defaultSecret } from './schema.ts';

/** All mistakes between parts of a parsed YAML value. Works on a file with other mistakes too, so that all
 *  are reported at once. Never throws. */
export function findCrossMistakes(input: unknown): readonly InventoryMistake[] {
  const outline = parseOutline(input);
  return [
    ...findRepeatedNames(outline),
    ...findUnknownReferences(outline),
    ...findRepeatedIssuers(outline),
    ...findForbiddenScopes(outline),
    ...findSharedAccounts(outline),
    ...findRepeatedRoles(outline),
    ...findAgentMistakes(outline),
    ...findAcmMistakes(outline),
    ...findRepeatedSecrets(outline.certificates.flatMap(locateTargets)),
  ];
}

function findRepeatedNames({ certificates }: Outline): readonly InventoryMistake[] {
  const first = new Map<string, number>();
  return certificates.flatMap(({ name }, index) => {
    if (name === undefined) return [];
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, index);
      return [];
    }
    const message = `${JSON.stringify(name)} is also the name of certificates[${earlier}]; give each certificate its own name`;
    return [{ path: ['certificates', index, 'name'], message }];
  });
}

function findUnknownReferences(outline: Outline): readonly InventoryMistake[] {
  const { issuers, clusters } = outline;
  const allowed = Object.entries(issuers).flatMap(([name, { onlyFor = [] }]) =>
    onlyFor.flatMap((scope, index) =>
      findUnknown('cluster', scope.replace(/\/.*/, ''), clusters, ['issuers', name, 'onlyFor', index]),
    ),
  );
  const rehearsed = Object.entries(issuers).flatMap(([name, { rehearsal }]) =>
    rehearsal === undefined ? [] : findUnknown('issuer', rehearsal, issuers, ['issuers', name, 'rehearsal']),
  );
  const used = findIssuerUsers(outline).flatMap(({ issuers: own, scopes }) => [
    ...own.flatMap(({ name, path }) => findUnknown('issuer', name, issuers, path)),
    ...scopes.flatMap(({ cluster, clusterPath }) => findUnknown('cluster', cluster, clusters, clusterPath)),
  ]);
  return [...allowed, ...rehearsed, ...used];
}

/** Finds an issuer that one certificate has twice, and an issuer whose rehearsal uses the same CA. */
function findRepeatedIssuers(outline: Outline): readonly InventoryMistake[] {
  const repeated = findIssuerUsers(outline).flatMap(({ issuers }) =>
    issuers.flatMap(({ name, path }, index) => {
      const isRepeated = issuers.slice(0, index).some((earlier) => earlier.name === name);
      return isRepeated ? [{ path, message: `repeats issuer ${JSON.stringify(name)}; leave it out` }] : [];
    }),
  );
  const circular = Object.entries(outline.issuers).flatMap(([name, { directory: url, rehearsal = '' }]) => {
    const other = Object.hasOwn(outline.issuers, rehearsal) ? outline.issuers[rehearsal] : undefined;
    if (!other || other.directory !== url) return [];
    const message = 'has the same directory; use an issuer with a test CA, e.g. letsencrypt-staging';
    return [{ path: ['issuers', name, 'rehearsal'], message }];
  });
  return [...repeated, ...circular];
}

function findUnknown(
  kind: 'issuer' | 'cluster',
  name: string,
  known: Readonly<Record<string, unknown>>,
  path: readonly PropertyKey[],
): readonly InventoryMistake[] {
  if (Object.hasOwn(known, name) || (kind === 'cluster' && name === acmName)) return [];
  const names = Object.keys(known).join(', ');
  const advice =
    names === '' ? `define it under ${kind}s` : `use one of ${names}, or define it under ${kind}s`;
  return [{ path, message: `${JSON.stringify(name)} is not a key of ${kind}s in this file; ${advice}` }];
}

/** Finds targets outside the clusters and namespaces of their issuer's `onlyFor`. */
function findForbiddenScopes(outline: Outline): readonly InventoryMistake[] {
  return findIssuerUsers(outline).flatMap(({ issuers, scopes }) =>
    issuers.flatMap(({ name }) => {
      const onlyFor = Object.hasOwn(outline.issuers, name) ? outline.issuers[name]?.onlyFor : undefined;
      if (onlyFor === undefined) return [];
      return scopes.flatMap(({ cluster, namespace, path }) => {
        const scope = `${cluster}/${namespace}`;
        if (onlyFor.some((allowed) => allowed === cluster || allowed === scope)) return [];
        const message = `is in ${scope}, but issuer ${JSON.stringify(name)} is only for ${onlyFor.join(', ')}; use another issuer, or add ${scope} to its onlyFor`;
        return [{ path, message }];
      });
    }),
  );
}

/** Finds issuers with the same directory and different external account
 *  bindings: a directory has one account. */
function findSharedAccounts({ issuers }: Outline): readonly InventoryMistake[] {
  const first = new Map<string | undefined, { readonly name: string; readonly secret: string }>();
  return Object.entries(issuers).flatMap(([name, { directory: url, eab }]) => {
    if (eab?.secret === undefined) return [];
    const earlier = first.get(url);
    first.set(url, earlier ?? { name, secret: eab.secret });
    if (earlier === undefined || earlier.secret === eab.secret) return [];
    const message = `differs from that of issuer ${JSON.stringify(earlier.name)}, which has the same directory and so the same account; write ${earlier.secret} for both`;
    return [{ path: ['issuers', name, 'eab', 'secret'], message }];
  });
}

/** Finds a role that is listed twice for the same names, or with two
 *  external ids: its trust policy requires one. */
function findRepeatedRoles({ dns }: Outline): readonly InventoryMistake[] {
  const zones = dns?.zones ?? [];
  return zones.flatMap(({ match, roleArn, externalId }, index) => {
    const path = ['dns', 'zones', index];
    const earlier = zones.slice(0, index).findIndex((entry) => entry.roleArn === roleArn);
    const first = zones[earlier];
    if (roleArn === undefined || first === undefined) return [];
    if (first.externalId !== externalId) {
      const message = `differs from that of dns.zones[${earlier}], which has the same role; write the same for both`;
      return [{ path: [...path, 'externalId'], message }];
    }
    const same = zones
      .slice(0, index)
      .findIndex((entry) => entry.roleArn === roleArn && entry.match === match);
    if (match === undefined || same === -1) return [];
    return [{ path, message: `repeats dns.zones[${same}]; remove one of the two` }];
  });
}

/** A Secret that a certificate writes, with the path of its target. */
interface SecretUse {
  readonly path: readonly PropertyKey[];
  readonly certificate: string | undefined;
  readonly key: string;
  readonly described: string;
}

function locateTargets(certificate: CertificateOutline, index: number): readonly SecretUse[] {
  return certificate.targets.flatMap((target, position) => {
    const { cluster, namespace = 'default', secret = secretOfPrimary(certificate.domains) } = target;
    if (cluster === undefined || secret === undefined) return [];
    const described = `Secret ${namespace}/${secret} in cluster ${cluster}`;
    const path = ['certificates', index, 'targets', position];
    return [{ path, certificate: certificate.name, key: [cluster, namespace, secret].join('\n'), described }];
  });
}

function secretOfPrimary(domains: unknown): string | undefined {
  const first: unknown = Array.isArray(domains) ? domains[0] : domains;
  if (typeof first !== 'string') return undefined;
  const parsed = parseName(first.trim().split(/\s+/)[0] ?? '');
  return 'name' in parsed ? defaultSecret([parsed.name]) : undefined;
}

/** Finds Secrets that two targets write: each pass would replace the certificate of the other. */
function findRepeatedSecrets(uses: readonly SecretUse[]): readonly InventoryMistake[] {
  const first = new Map<string, SecretUse>();
  return uses.flatMap((use) => {
    const earlier = first.get(use.key);
    if (earlier === undefined) {
      first.set(use.key, use);
      return [];
    }
    const [later, other] = [use, earlier].map(
      ({ certificate, path }) => `${certificate ?? '?'} (${formatPath(path)})`,
    );
    const advice =
      'give one of them another secret, or merge them into one certificate if they have the same names';
    const message = `${later} and ${other} both write ${use.described}; ${advice}`;
    return [{ path: use.path, message }];
  });
}
