// Holds stored specifications against today's inventory: what it would no longer accept, and the line that would allow it.
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

/** What tags tell of a stored specification. */
export interface TaggedSpec {
  readonly name: string;
  readonly source: SpecSource;
  /** Absent: the tags do not tell. */
  readonly domains?: readonly string[] | undefined;
  /** `targetsKey` of its targets. */
  readonly targets?: string | undefined;
  /** When it was first asked for. */
  readonly since?: Date | undefined;
}

/** One inventory, to hold many specifications against. */
export interface Fit {
  /** All that does not fit; empty for what the same request would be accepted for now. What a person imported by hand fits
   *  always: no section is about it. */
  ofSpec(spec: StoredSpec, since?: Date): readonly Misfit[];
  /** As far as tags tell: nothing that the specification itself would not be blamed for. `isSure`: it would be blamed for no more. */
  ofTags(tagged: TaggedSpec): { readonly found: readonly Misfit[]; readonly isSure: boolean };
}

/** @param others What other sources have, where that is to be heeded: who asked first has a name. What the inventory file has is
 *  always heeded.
 *  @param inventory Of today. Issuer and key were never a sender's choice: those of before stay allowed as long as there is such
 *  an issuer. */
export function createFit(inventory: Inventory, others: readonly NameHolder[] = []): Fit {
  // Made once somebody asks: most passes hold nothing against 10,000 certificates of the file.
  let taken: Taken | undefined;
  const findTaken = (spec: Asked, since: Date | undefined, among: 'file' | 'all'): readonly Misfit[] => {
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
    ].map((message) => ({ message: `${message}; take it out of one of the two` }));
  };
  const isBound = Object.values(inventory.issuers).some(({ onlyFor }) => onlyFor !== undefined);
  const ofSpec = (spec: Asked & { readonly issuer?: string }, since?: Date) => {
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
        // Its own place is told by its targets.
        const taken = findTaken({ ...spec, targets: [] }, since, 'file');
        return { found: [...findInPlaces(spec, inventory), ...taken], isSure: false };
      }
      // Whoever names no targets gets these.
      const usual = (inventory.registration?.targets ?? []).map((target) => fillIn(target, name));
      const isUsual = domains !== undefined && targets === targetsKey(usual) && !isBound;
      const found = ofSpec({ ...spec, targets: isUsual ? usual : [] }, since);
      return { found, isSure: isUsual };
    },
  };
}

/** What others have: names, and in the file Secrets. */
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

type Asked = Pick<StoredSpec, 'name' | 'source' | 'domains' | 'targets'>;

/** `lab/shop/web-tls`. */
function nameSecret(target: SecretTarget): string {
  return `${nameNamespace(target)}/${target.secret}`;
}

/** A target of `registration` as a certificate has it. */
function fillIn(target: TargetSpec, name: string): TargetSpec {
  return isSecretTarget(target) ? { ...target, secret: target.secret.replaceAll('{name}', name) } : target;
}

/** Its name may be that of a Secret in more than one place: the kindest counts. */
function findInPlaces(
  { name, source, domains }: Pick<StoredSpec, 'name' | 'source' | 'domains'>,
  inventory: Inventory,
): readonly Misfit[] {
  const { discovery } = inventory;
  const places = discovery?.places.filter((place) => couldBeIn(name, place)) ?? [];
  const found = places.map((place) => {
    const rules = discovery && namespaceRules(discovery, place);
    return rules ? findNames(domains, rules, place, inventory) : [];
  });
  const [least] = found.toSorted((one, other) => one.length - other.length);
  return least ?? [describeGone({ source, domains, targets: [] }, inventory)];
}

/** Whether a certificate of that name may be one of a Secret in the place (`nameOfSecret`). */
function couldBeIn(name: string, { cluster, namespace }: NamespaceRef): boolean {
  const start = `${cluster}-${namespace}-`.toLowerCase().replaceAll('_', '-');
  const isCut = start.length > longestStart;
  return name.startsWith(isCut ? start.slice(0, longestStart).replace(/(?<!-)-+$/, '') : start);
}

/** Of what stands before the hash in such a name. */
const longestStart = 54;
