// Compares stored specifications with today's inventory: what it no longer allows, and the line that allows
// it.
import {
  type Inventory,
  isSecretTarget,
  type SecretTarget,
  type TargetSpec,
} from '../../certificate/spec.ts';
import type { SpecSource, StoredSpec } from '../../certificate/stored.ts';
import { type NamespaceRef, nameNamespace, namespaceRules, rulesOf } from '../../inventory/source-rules.ts';
import { targetsKey } from '../../state/targets.ts';
import { describeGone, findIssuer, findNames, findTargets, type Misfit } from './misfits.ts';
import { holderOfSpec, holdersInFile, NameBook, type NameHolder } from './name-holders.ts';

/** The parts of a stored specification that its tags contain. */
export interface TaggedSpec {
  readonly name: string;
  readonly source: SpecSource;
  /** Absent if the tags do not contain them. */
  readonly domains?: readonly string[] | undefined;
  /** `targetsKey` of its targets. */
  readonly targets?: string | undefined;
  /** When it was first requested. */
  readonly since?: Date | undefined;
}

/** One inventory, prepared to check many specifications. */
export interface Fit {
  /** Everything that does not fit; empty if the same request would be accepted now. A certificate that was
   *  imported by hand always fits, because no section limits imports.
   *  @param since When it was first requested. */
  ofSpec(spec: StoredSpec, since?: Date): readonly Misfit[];
  /** What tags alone show. Everything in `found` does not fit. `isSure`: the whole specification would
   *  show no more. */
  ofTags(tagged: TaggedSpec): { readonly found: readonly Misfit[]; readonly isSure: boolean };
}

/** Prepares the checks. Issuer and key are not checked against the section: a sender never chose them.
 *  @param inventory Today's inventory.
 *  @param others Names that other sources have; who asked first keeps a name. Names of the inventory file
 *  always count. */
export function createFit(inventory: Inventory, others: readonly NameHolder[] = []): Fit {
  // Made only if needed: most passes check nothing, and the file may have 10,000 certificates.
  let taken: Taken | undefined;
  const findTaken = (
    spec: RequestedSpec,
    since: Date | undefined,
    among: 'file' | 'all',
  ): readonly Misfit[] => {
    taken ??= openTaken(inventory, others);
    const { owners, inFile, everywhere } = taken;
    const holder = holderOfSpec(spec, since ?? new Date(0));
    const names = (among === 'file' ? inFile : everywhere).findTaken(holder, 'same');
    const secrets = spec.targets.filter(isSecretTarget).map(nameSecret);
    return [
      ...names.map(({ message }) => message),
      ...secrets.flatMap((secret) => {
        const owner = owners.get(secret);
        return owner === undefined
          ? []
          : `Secret ${secret} belongs to certificate ${owner} of the inventory file`;
      }),
    ].map((message) => ({ message: `${message}; remove it from one of the two` }));
  };
  const isBound = Object.values(inventory.issuers).some(({ onlyFor }) => onlyFor !== undefined);
  const ofSpec = (spec: RequestedSpec & { readonly issuer?: string }, since?: Date) => {
    const rules = rulesOf(spec, inventory);
    if (rules === 'unbound') return [];
    if (rules === 'gone') return [describeGone(spec, inventory)];
    const { domains, targets } = spec;
    const secrets = targets.filter(isSecretTarget);
    return [
      ...findNames(domains, rules, secrets[0], inventory),
      ...findTargets(targets, rules, inventory),
      ...findIssuer(spec, inventory),
      ...findTaken(spec, since, 'all'),
    ];
  };
  return {
    ofSpec,
    ofTags({ name, source, domains, targets, since }) {
      if (source === 'import') return { found: [], isSure: true };
      const spec = { name, source, domains: domains ?? [] };
      if (source === 'discovery') {
        // Its tags do not contain its targets, so its namespace is unknown.
        const taken = findTaken({ ...spec, targets: [] }, since, 'file');
        return { found: [...findInPlaces(spec, inventory), ...taken], isSure: false };
      }
      // A sender that names no targets gets these.
      const usual = (inventory.registration?.targets ?? []).map((target) => fillIn(target, name));
      const isUsual = domains !== undefined && targets === targetsKey(usual) && !isBound;
      const found = ofSpec({ ...spec, targets: isUsual ? usual : [] }, since);
      return { found, isSure: isUsual };
    },
  };
}

/** Names that others have, and Secrets of the inventory file by their certificate. */
interface Taken {
  readonly owners: ReadonlyMap<string, string>;
  readonly inFile: NameBook;
  readonly everywhere: NameBook;
}

function openTaken(inventory: Inventory, others: readonly NameHolder[]): Taken {
  const own = holdersInFile(inventory);
  const inFile = new NameBook(own);
  const everywhere = others.length === 0 ? inFile : new NameBook([...own, ...others]);
  const secrets = inventory.certificates.flatMap(({ name, targets }) =>
    targets.filter(isSecretTarget).map((target) => [nameSecret(target), name] as const),
  );
  return { owners: new Map(secrets), inFile, everywhere };
}

type RequestedSpec = Pick<StoredSpec, 'name' | 'source' | 'domains' | 'targets'>;

/** `cluster/namespace/secret`: `lab/shop/web-tls`. */
function nameSecret(target: SecretTarget): string {
  return `${nameNamespace(target)}/${target.secret}`;
}

/** A target of `registration` with the certificate's name put in for `{name}`. */
function fillIn(target: TargetSpec, name: string): TargetSpec {
  return isSecretTarget(target) ? { ...target, secret: target.secret.replaceAll('{name}', name) } : target;
}

/** Checks a discovered certificate whose namespace is unknown. Its name may fit several places of
 *  `discovery`: the one with the fewest misfits counts. */
function findInPlaces(
  { name, source, domains }: Pick<StoredSpec, 'name' | 'source' | 'domains'>,
  inventory: Inventory,
): readonly Misfit[] {
  const { discovery } = inventory;
  const scopes = discovery?.places.filter((scope) => couldBeIn(name, scope)) ?? [];
  const found = scopes.map((scope) => {
    const rules = discovery && namespaceRules(discovery, scope);
    return rules ? findNames(domains, rules, scope, inventory) : [];
  });
  const [least] = found.toSorted((one, other) => one.length - other.length);
  return least ?? [describeGone({ source, domains, targets: [] }, inventory)];
}

/** Whether a certificate with this name may be of a Secret in the namespace (`nameOfSecret` makes such
 *  names). */
function couldBeIn(name: string, { cluster, namespace }: NamespaceRef): boolean {
  const start = `${cluster}-${namespace}-`.toLowerCase().replaceAll('_', '-');
  const isCut = start.length > longestStart;
  return name.startsWith(isCut ? start.slice(0, longestStart).replace(/(?<!-)-+$/, '') : start);
}

/** Characters that such a name has before its hash. */
const longestStart = 54;
