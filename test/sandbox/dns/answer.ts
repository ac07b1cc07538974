// What the sandbox's DNS says to a question: the zones it has authority for, and nothing else (RFC 1034
// §4.3.2).
export interface StartOfAuthority {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** RFC 8659 §4.1. */
export interface CertificationAuthority {
  readonly flags: number;
  readonly tag: string;
  readonly value: string;
}

/** RFC 4034 §5.1. */
export interface DelegationSigner {
  readonly keyTag: number;
  readonly algorithm: number;
  readonly digestType: number;
  readonly digest: Buffer;
}

/** RFC 4034 §2.1; the protocol is 3. */
export interface SigningKey {
  readonly flags: number;
  readonly algorithm: number;
  readonly key: Buffer;
}

/** Types this server answers, with their data as dns-packet writes it. */
export type ResourceData =
  | { readonly type: 'A' | 'AAAA' | 'CNAME' | 'NS'; readonly data: string }
  | { readonly type: 'TXT'; readonly data: readonly Buffer[] }
  | { readonly type: 'CAA'; readonly data: CertificationAuthority }
  | { readonly type: 'SOA'; readonly data: StartOfAuthority }
  | { readonly type: 'DS'; readonly data: DelegationSigner }
  | { readonly type: 'DNSKEY'; readonly data: SigningKey };

export type Resource = ResourceData & { readonly name: string; readonly ttl: number };

/** A zone as DNS sees it. Names are absolute, lower case, with the trailing dot. */
export interface Zone {
  readonly name: string;
  /** The records at a name, of every type. */
  recordsAt(name: string): readonly Resource[];
  /** Whether a record exists at the name or below it. */
  hasName(name: string): boolean;
}

export type ResponseCode = 'NOERROR' | 'SERVFAIL' | 'NXDOMAIN' | 'REFUSED';

export interface Answer {
  readonly code: ResponseCode;
  readonly isAuthoritative: boolean;
  readonly answers: readonly Resource[];
  readonly authorities: readonly Resource[];
}

const longestAliasChain = 16;

/** Answers from the closest zone; a CNAME is followed through all of them, because this server is also the
 *  recursive resolver of the sandbox. A name above a zone exists and has no records here; any other is
 *  REFUSED. DS records are in the zone above (RFC 4035 §3.1.4.1). */
export function answerQuestion(
  question: { readonly name: string; readonly type: string },
  zones: readonly Zone[],
): Answer {
  const answers: Resource[] = [];
  let name = absolute(question.name);
  for (let hop = 0; hop < longestAliasChain; hop += 1) {
    const zone = closestZone(name, question.type === 'DS' ? zones.filter((one) => one.name !== name) : zones);
    // A chain that leaves our zones ends with the alias that leaves; whoever asked goes on from there.
    if (!zone) {
      const exists = hop > 0 || zones.some((other) => other.name === name || other.name.endsWith(`.${name}`));
      return { ...empty(exists ? 'NOERROR' : 'REFUSED'), answers, isAuthoritative: hop > 0 };
    }
    const cut = delegation(question.type === 'DS' ? parent(name) : name, zone);
    if (cut.length > 0) return { ...empty('NOERROR'), answers, authorities: cut, isAuthoritative: false };
    const records = matchingRecords(name, zone);
    if (!records) return { code: 'NXDOMAIN', isAuthoritative: true, answers, authorities: startOf(zone) };
    const found = records.filter((record) => record.type === question.type);
    if (found.length > 0) return { ...empty('NOERROR'), answers: [...answers, ...found] };
    const alias = records.find((record) => record.type === 'CNAME');
    if (alias?.type !== 'CNAME') return { ...empty('NOERROR'), answers, authorities: startOf(zone) };
    answers.push(alias);
    name = absolute(alias.data);
  }
  return empty('SERVFAIL');
}

function empty(code: ResponseCode): Answer {
  return { code, isAuthoritative: code !== 'REFUSED', answers: [], authorities: [] };
}

function absolute(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower : `${lower}.`;
}

function closestZone(name: string, zones: readonly Zone[]): Zone | undefined {
  return zones
    .filter((zone) => zone.name === '.' || name === zone.name || name.endsWith(`.${zone.name}`))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
}

/** NS records between the zone's own name and `name`: somebody else has authority from there on. */
function delegation(name: string, zone: Zone): readonly Resource[] {
  for (let cut = name; cut !== zone.name; cut = parent(cut)) {
    const servers = zone.recordsAt(cut).filter((record) => record.type === 'NS');
    if (servers.length > 0) return servers;
  }
  return [];
}

/** The records at a name, or those of the wildcard that stands for it (RFC 4592); `undefined` where there is
 *  no such name. */
function matchingRecords(name: string, zone: Zone): readonly Resource[] | undefined {
  if (zone.hasName(name)) return zone.recordsAt(name);
  let encloser = parent(name);
  while (encloser.length > zone.name.length && !zone.hasName(encloser)) encloser = parent(encloser);
  const wildcard = zone.recordsAt(`*.${encloser}`);
  return wildcard.length > 0 ? wildcard.map((record) => ({ ...record, name })) : undefined;
}

function parent(name: string): string {
  return name.slice(name.indexOf('.') + 1) || '.';
}

/** The zone's SOA, with the time a "no" may be remembered (RFC 2308 §3). */
function startOf(zone: Zone): readonly Resource[] {
  return zone.recordsAt(zone.name).flatMap((record) => {
    if (record.type !== 'SOA') return [];
    return [{ ...record, ttl: Math.min(record.ttl, record.data.minimum) }];
  });
}

/** A zone from a list of records that never change. Its top exists, whatever the records are. */
export function fixedZone(
  name: string,
  records: readonly (ResourceData & { readonly name: string })[],
): Zone {
  const all = records.map((record): Resource => ({ ...record, ttl: 60 }));
  return {
    name,
    recordsAt: (at) => all.filter((record) => record.name === at),
    hasName: (at) =>
      [name, ...all.map((record) => record.name)].some(
        (known) => at === '.' || known === at || known.endsWith(`.${at}`),
      ),
  };
}
