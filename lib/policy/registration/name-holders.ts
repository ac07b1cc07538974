// Who has a DNS name: the inventory file, or the source that asked first. Nobody else may have a certificate for it.
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

/** One certificate and the names that it is for. */
export interface NameHolder {
  readonly certificate: string;
  /** `the inventory file`, `the webhook`, a place such as `lab/shop`, or `an import by hand`. Certificates of one source may share
   *  names. */
  readonly source: string;
  readonly domains: readonly string[];
  /** When it was first asked for; absent for what is not stored yet. */
  readonly since?: Date | undefined;
}

/** A name that somebody else has. */
export interface TakenName {
  /** As it was asked for. */
  readonly domain: string;
  readonly holder: NameHolder;
  /** For the operator: names the owner. */
  readonly message: string;
}

const file = 'the inventory file';
const webhook = 'the webhook';
const byHand = 'an import by hand';

/** All names that are in use. */
export class NameBook {
  readonly #byName = new Map<string, NameHolder[]>();
  /** By what is left of a name without its first label: those that a wildcard there would stand for. */
  readonly #byParent = new Map<string, NameHolder[]>();

  constructor(holders: Iterable<NameHolder>) {
    for (const holder of holders) this.add(holder);
  }

  /** From now on it has its names, too. */
  add(holder: NameHolder): void {
    for (const domain of new Set(holder.domains)) {
      append(this.#byName, domain, holder);
      if (!domain.startsWith('*.')) append(this.#byParent, domain.slice(domain.indexOf('.') + 1), holder);
    }
  }

  /** The names that another source has: the inventory file and imports always, others where they were there first. A wildcard that
   *  stands for a name of another source takes it, too, but for `same`, which asks for the very names: what is in use must not end
   *  because somebody adds a name below it. A name below somebody's wildcard is free. One entry for each name. */
  findTaken(asking: NameHolder, which: 'same' | 'all' = 'all'): readonly TakenName[] {
    return asking.domains.flatMap((domain) => {
      const isWide = which === 'all' && domain.startsWith('*.');
      const below = isWide ? (this.#byParent.get(domain.slice(2)) ?? []) : [];
      const holder = [...(this.#byName.get(domain) ?? []), ...below].find((one) => goesBefore(one, asking));
      return holder ? [{ domain, holder, message: describe(domain, holder) }] : [];
    });
  }
}

/** What the certificates of the inventory file have. */
export function holdersInFile({ certificates }: Pick<Inventory, 'certificates'>): readonly NameHolder[] {
  return certificates.map(({ name, domains }) => ({ certificate: name, source: file, domains }));
}

/** What a specification has, or asks for. */
export function holderOfSpec(
  { name, source, domains, targets }: Pick<StoredSpec, 'name' | 'source' | 'domains' | 'targets'>,
  since?: Date,
): NameHolder {
  return { certificate: name, source: nameSource(source, placeOfTargets(targets)), domains, since };
}

/** The sources of one inventory, for many questions. */
export interface NameSources {
  /** What an entry of the store has, as far as its tags tell and today's inventory lets its source ask for it; `undefined` where it
   *  has nothing, and where the tags do not tell. */
  holderOf(entry: StoredEntry): NameHolder | undefined;
  /** Whether a source beside its own could ask for one of the names, or for one that a wildcard of it stands for: else nobody
   *  need be asked who has them. */
  mayBeShared(asking: NameHolder): boolean;
}

/** @param inventory Of today. */
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
  const stoodFor = (domain: string) =>
    domain.startsWith('*.')
      ? [`any${domain.slice(1)}`, ...rules.zones.filter((zone) => coversName(domain, zone))]
      : [];
  return domains.some((domain) => [domain, ...stoodFor(domain)].some(couldAsk));
}

interface StoredEntry {
  readonly name: string;
  readonly createdAt?: Date | undefined;
  readonly state: CertificateState;
}

function append(map: Map<string, NameHolder[]>, key: string, holder: NameHolder): void {
  const there = map.get(key);
  if (there) there.push(holder);
  else map.set(key, [holder]);
}

/** What was stored first goes before, of two at one instant the one whose name comes first; what nobody dated is the oldest. */
function goesBefore(holder: NameHolder, asking: NameHolder): boolean {
  if (holder.certificate === asking.certificate || holder.source === asking.source) return false;
  if (holder.source === file || holder.source === byHand || !asking.since) return true;
  const [its, ours] = [holder.since?.getTime() ?? 0, asking.since.getTime()];
  return its < ours || (its === ours && holder.certificate < asking.certificate);
}

function describe(domain: string, { certificate, source, domains }: NameHolder): string {
  const covered = domains.includes(domain)
    ? ''
    : ` stands for ${domains.find((one) => coversName(domain, one))}, which`;
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

/** What earlier versions stored does not say its place, and its name begins with it (`nameOfSecret`). */
function guessPlace(name: string, { discovery }: Inventory): string | undefined {
  const places = discovery?.places.map(nameNamespace) ?? [];
  const own = places.filter((place) => name.startsWith(`${place.toLowerCase().replace(/[/._]/g, '-')}-`));
  return own.toSorted((one, other) => other.length - one.length)[0];
}

function allRules({ registration, discovery }: Inventory): readonly SourceRules[] {
  const places = discovery?.places.flatMap((place) => namespaceRules(discovery, place) ?? []) ?? [];
  return registration ? [webhookRules(registration), ...places] : places;
}
