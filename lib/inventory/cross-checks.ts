// Mistakes between parts of the inventory: repeats, and references to what is not there.

import { parseName } from '../certificate/name-parsing.ts';
import { acmPlace, findAcmMistakes } from './acm-checks.ts';
import { findAgentMistakes } from './agent-checks.ts';
import { type CertificateOutline, type Outline, parseOutline, usersOf } from './outline.ts';
import { formatPath, type InventoryMistake } from './problems.ts';
import { defaultSecret } from './schema.ts';

/** Every repeat and every reference to an unknown issuer or cluster. Reads whatever is readable of a file that has other
 *  mistakes, so that all of them are told at once. */
export function findCrossMistakes(input: unknown): readonly InventoryMistake[] {
  const outline = parseOutline(input);
  return [
    ...findRepeatedNames(outline),
    ...findUnknownReferences(outline),
    ...findRepeatedIssuers(outline),
    ...findForbiddenPlaces(outline),
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
    const message = `${JSON.stringify(name)} is the name of certificates[${earlier}] too; give each certificate its own`;
    return [{ path: ['certificates', index, 'name'], message }];
  });
}

function findUnknownReferences(outline: Outline): readonly InventoryMistake[] {
  const { issuers, clusters } = outline;
  const allowed = Object.entries(issuers).flatMap(([name, { onlyFor = [] }]) =>
    onlyFor.flatMap((place, index) =>
      findUnknown('cluster', place.replace(/\/.*/, ''), clusters, ['issuers', name, 'onlyFor', index]),
    ),
  );
  const rehearsed = Object.entries(issuers).flatMap(([name, { rehearsal }]) =>
    rehearsal === undefined ? [] : findUnknown('issuer', rehearsal, issuers, ['issuers', name, 'rehearsal']),
  );
  const asked = usersOf(outline).flatMap(({ issuers: own, places }) => [
    ...own.flatMap(({ name, path }) => findUnknown('issuer', name, issuers, path)),
    ...places.flatMap(({ cluster, clusterPath }) => findUnknown('cluster', cluster, clusters, clusterPath)),
  ]);
  return [...allowed, ...rehearsed, ...asked];
}

/** An issuer twice among those of one certificate, and one that would rehearse at its own CA. */
function findRepeatedIssuers(outline: Outline): readonly InventoryMistake[] {
  const repeated = usersOf(outline).flatMap(({ issuers }) =>
    issuers.flatMap(({ name, path }, index) => {
      const isRepeated = issuers.slice(0, index).some((one) => one.name === name);
      return isRepeated ? [{ path, message: `repeats issuer ${JSON.stringify(name)}; leave it out` }] : [];
    }),
  );
  const circular = Object.entries(outline.issuers).flatMap(([name, { directory: url, rehearsal = '' }]) => {
    const other = Object.hasOwn(outline.issuers, rehearsal) ? outline.issuers[rehearsal] : undefined;
    if (!other || other.directory !== url) return [];
    const message = 'has the same directory; write an issuer at a CA for tests, such as letsencrypt-staging';
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
  if (Object.hasOwn(known, name) || (kind === 'cluster' && name === acmPlace)) return [];
  const names = Object.keys(known).join(', ');
  const right =
    names === '' ? `define one under ${kind}s` : `write one of ${names}, or define it under ${kind}s`;
  return [{ path, message: `${JSON.stringify(name)} is no ${kind} of this file; ${right}` }];
}

/** Targets outside the places that their issuer is for. */
function findForbiddenPlaces(outline: Outline): readonly InventoryMistake[] {
  return usersOf(outline).flatMap(({ issuers, places }) =>
    issuers.flatMap(({ name }) => {
      const onlyFor = Object.hasOwn(outline.issuers, name) ? outline.issuers[name]?.onlyFor : undefined;
      if (onlyFor === undefined) return [];
      return places.flatMap(({ cluster, namespace, path }) => {
        const place = `${cluster}/${namespace}`;
        if (onlyFor.some((one) => one === cluster || one === place)) return [];
        const message = `is in ${place}, where issuer ${JSON.stringify(name)} may not be used: it is only for ${onlyFor.join(', ')}`;
        return [{ path, message }];
      });
    }),
  );
}

/** There is one account for each directory, so only one binding of it can be meant. */
function findSharedAccounts({ issuers }: Outline): readonly InventoryMistake[] {
  const first = new Map<string | undefined, { readonly name: string; readonly secret: string }>();
  return Object.entries(issuers).flatMap(([name, { directory: url, eab }]) => {
    if (eab?.secret === undefined) return [];
    const earlier = first.get(url);
    first.set(url, earlier ?? { name, secret: eab.secret });
    if (earlier === undefined || earlier.secret === eab.secret) return [];
    const message = `is another one than that of issuer ${JSON.stringify(earlier.name)}, which has the same directory and so the same account; write ${earlier.secret} at both`;
    return [{ path: ['issuers', name, 'eab', 'secret'], message }];
  });
}

/** A role written twice for the same names, or with two external ids, of which its trust policy can hardly mean both. */
function findRepeatedRoles({ dns }: Outline): readonly InventoryMistake[] {
  const zones = dns?.zones ?? [];
  return zones.flatMap(({ match, roleArn, externalId }, index) => {
    const path = ['dns', 'zones', index];
    const earlier = zones.slice(0, index).findIndex((one) => one.roleArn === roleArn);
    const first = zones[earlier];
    if (roleArn === undefined || first === undefined) return [];
    if (first.externalId !== externalId) {
      const message = `is another one than that of dns.zones[${earlier}], which names the same role; write the same at both`;
      return [{ path: [...path, 'externalId'], message }];
    }
    const same = zones.slice(0, index).findIndex((one) => one.roleArn === roleArn && one.match === match);
    if (match === undefined || same === -1) return [];
    return [{ path, message: `repeats dns.zones[${same}]; leave out one of them` }];
  });
}

/** A Secret that a certificate writes. */
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

/** Two writers of one Secret would replace each other's certificate at every pass. */
function findRepeatedSecrets(places: readonly SecretUse[]): readonly InventoryMistake[] {
  const first = new Map<string, SecretUse>();
  return places.flatMap((place) => {
    const earlier = first.get(place.key);
    if (earlier === undefined) {
      first.set(place.key, place);
      return [];
    }
    const [both, other] = [place, earlier].map(
      ({ certificate, path }) => `${certificate ?? '?'} (${formatPath(path)})`,
    );
    const right =
      'give one of them another secret, or make one certificate of them if they are for the same names';
    const message = `${both} and ${other} both write ${place.described}; ${right}`;
    return [{ path: place.path, message }];
  });
}
