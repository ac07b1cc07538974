// Decides to which source a DNS name belongs: the inventory file, or the source that requested it first.
import { coversName } from '../../certificate/names.ts';
import { type Inventory, isSecretTarget } from '../../certificate/spec.ts';
import type { SpecSource, StoredSpec } from '../../certificate/stored.ts';
import { findForbiddenNames } from '../../inventory/request-checks.ts';
import {
  nameNamespace,
  namespaceRules,
  type SourceRules,
  webhookRules,
} from '../../inventory/source-rules.ts';
import type { CertificateState } from '../../state/state.ts';

/** A certificate, its names, and the source that they belong to. */
export interface NameHolder {
  readonly certificate: string;
  /** `the inventory file`, `the webhook`, `an import by hand`, or a namespace of discovery such as
   *  `lab/shop`. Certificates of one source may share names. */
  readonly source: string;
  readonly domains: readonly string[];
  /** When it was first requested; absent if it is not stored yet. */
  readonly since?: Date | undefined;
}

/** A requested name that belongs to another source. */
export interface TakenName {
  /** The name as it was requested. */
  readonly domain: string;
  readonly holder: NameHolder;
  /** For the operator only, because it names the owner. */
  readonly message: string;
}

const file = 'the inventory file';
const webhook = 'the webhook';
const byHand = 'an import by hand';

/** All names in use, by name and by parent domain. */
export class NameBook {
  readonly #byName = new Map<string, NameHolder[]>();
  /** By the name without its first label: these names are covered by a wildcard of that domain. */
  readonly #byParent = new Map<string, NameHolder[]>();

  constructor(holders: Iterable<NameHolder>) {
    for (const holder of holders) this.add(holder);
  }

  /** Adds the names of one more certificate. */
  add(holder: NameHolder): void {
    for (const domain of new Set(holder.domains)) {
      append(this.#byName, domain, holder);
      if (!domain.startsWith('*.')) append(this.#byParent, domain.slice(domain.indexOf('.') + 1), holder);
    }
  }

  /** The requested names that belong to another source, one entry each. Names of the inventory file and of
   *  imports always do; others if they were requested first. A name below another source's wildcard is free.
   *  @param asking The certificate whose names are requested.
   *  @param which `all`: a requested wildcard also conflicts with names that it covers. `same`: only equal
   *  names conflict, so a wildcard in use does not end because somebody adds a name below it. */
  findTaken(asking: NameHolder, which: 'same' | 'all' = 'all'): readonly TakenName[] {
    return asking.domains.flatMap((domain) => {
      const isWide = which === 'all' && domain.startsWith('*.');
      const below = isWide ? (this.#byParent.get(domain.slice(2)) ?? []) : [];
      const holder = [...(this.#byName.get(domain) ?? []), ...below].find((candidate) =>
        goesBefore(candidate, asking),
      );
      return holder ? [{ domain, holder, message: describe(domain, holder) }] : [];
    });
  }
}

/** The holders for all certificates of the inventory file. */
export function holdersInFile({ certificates }: Pick<Inventory, 'certificates'>): readonly NameHolder[] {
  return certificates.map(({ name, domains }) => ({ certificate: name, source: file, domains }));
}

/** The holder for a registered specification.
 *  @param since When it was first requested; absent if it is not stored yet. */
export function holderOfSpec(
  { name, source, domains, targets }: Pick<StoredSpec, 'name' | 'source' | 'domains' | 'targets'>,
  since?: Date,
): NameHolder {
  return { certificate: name, source: nameSource(source, placeOfTargets(targets)), domains, since };
}

/** The sources of one inventory, prepared for many questions. */
export interface NameSources {
  /** The holder for an entry of the store. `undefined` if it is in the inventory file, if its tags do not
   *  contain its names, or if today's inventory does not allow its source to request them. */
  holderOf(entry: StoredEntry): NameHolder | undefined;
  /** Whether another source could request one of the names, or a name that a wildcard among them covers.
   *  If not, there is no need to check who has them. */
  mayBeShared(asking: NameHolder): boolean;
}

/** Prepares the sources.
 *  @param inventory Today's inventory. */
export function openSources(inventory: Inventory): NameSources {
  const inFile = new Set(inventory.certificates.map(({ name }) => name));
  const all = new Map(allRules(inventory).map((rules) => [rules.source, rules]));
  return {
    holderOf({ name, createdAt, state }) {
      const { domains } = state;
      if (!state.source || !domains || inFile.has(name)) return undefined;
      const place = (state.place && nameNamespace(state.place)) ?? guessPlace(name, inventory);
      const source = nameSource(state.source, place);
      const holder = { certificate: name, source, domains, since: createdAt };
      if (state.source === 'import') return holder;
      const rules = all.get(source);
      return rules && findForbiddenNames(domains, rules).length === 0 ? holder : undefined;
    },
    mayBeShared({ domains, source }) {
      return [...all.values()].some((rules) => rules.source !== source && couldAskForAny(rules, domains));
    },
  };
}

function couldAskForAny(rules: SourceRules, domains: readonly string[]): boolean {
  const couldAsk = (name: string) => findForbiddenNames([name], rules).length === 0;
  const coveredBy = (domain: string) =>
    domain.startsWith('*.')
      ? [`any${domain.slice(1)}`, ...rules.zones.filter((zone) => coversName(domain, zone))]
      : [];
  return domains.some((domain) => [domain, ...coveredBy(domain)].some(couldAsk));
}

interface StoredEntry {
  readonly name: string;
  readonly createdAt?: Date | undefined;
  readonly state: CertificateState;
}

function append(map: Map<string, NameHolder[]>, key: string, holder: NameHolder): void {
  const holders = map.get(key);
  if (holders) holders.push(holder);
  else map.set(key, [holder]);
}

/** Whether the holder has priority: stored earlier, or at the same instant with a name that sorts first. A
 *  holder without a date counts as the oldest. */
function goesBefore(holder: NameHolder, asking: NameHolder): boolean {
  if (holder.certificate === asking.certificate || holder.source === asking.source) return false;
  if (holder.source === file || holder.source === byHand || !asking.since) return true;
  const [its, ours] = [holder.since?.getTime() ?? 0, asking.since.getTime()];
  return its < ours || (its === ours && holder.certificate < asking.certificate);
}

function describe(domain: string, { certificate, source, domains }: NameHolder): string {
  const covered = domains.includes(domain)
    ? ''
    : ` covers ${domains.find((name) => coversName(domain, name))}, which`;
  return `${domain}${covered} belongs to certificate ${certificate} of ${source}`;
}

function nameSource(source: SpecSource, place: string | undefined): string {
  if (source === 'registration') return webhook;
  return source === 'import' ? byHand : (place ?? 'a place that is gone');
}

function placeOfTargets(targets: StoredSpec['targets']): string | undefined {
  const [target] = targets.filter(isSecretTarget);
  return target && nameNamespace(target);
}

/** The namespace of a discovered certificate that an earlier version stored without it: the longest one
 *  with which its name begins (`nameOfSecret`). */
function guessPlace(name: string, { discovery }: Inventory): string | undefined {
  const places = discovery?.places.map(nameNamespace) ?? [];
  const own = places.filter((place) => name.startsWith(`${place.toLowerCase().replace(/[/._]/g, '-')}-`));
  return own.toSorted((one, other) => other.length - one.length)[0];
}

function allRules({ registration, discovery }: Inventory): readonly SourceRules[] {
  const places = discovery?.places.flatMap((place) => namespaceRules(discovery, place) ?? []) ?? [];
  return registration ? [webhookRules(registration), ...places] : places;
}
