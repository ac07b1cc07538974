// Decides whether a zone's keys fit the DS records of its parent. If not, validating resolvers refuse it.
import { createHash } from 'node:crypto';

/** One DS record: what the parent zone says of a key of the zone (RFC 4034 §5). */
export interface DsRecord {
  readonly keyTag: number;
  readonly algorithm: number;
  readonly digestType: number;
  readonly digest: Uint8Array;
}

/** One DNSKEY record of the zone (RFC 4034 §2). */
export interface DnskeyRecord {
  readonly flags: number;
  readonly algorithm: number;
  readonly key: Uint8Array;
}

/** A zone's DNSSEC as parent and zone have it. */
export interface ChainFacts {
  /** The zone, lower case, no trailing dot. */
  readonly zone: string;
  /** In the parent zone. Empty: the zone is not signed. */
  readonly ds: readonly DsRecord[];
  /** At the zone's own servers. Empty: the zone is not signed there. */
  readonly keys: readonly DnskeyRecord[];
  /** False if it comes from what a resolver alone said, which may remember old records. Absent: the servers
   *  of parent and zone said it too. */
  readonly confirmed?: boolean;
}

/** Digests that validators compute, by digest type (RFC 4034, RFC 4509, RFC 6605). */
const digests: Readonly<Record<number, string>> = { 1: 'sha1', 2: 'sha256', 4: 'sha384' };
const sha1Type = 1;
/** Algorithms of keys that validators check (RFC 8624). */
const algorithms = [5, 7, 8, 10, 13, 14, 15, 16];
/** Flags of a DNSKEY: it signs the zone; it is revoked (RFC 5011); it is the one that DS records name. */
const zoneKeyFlag = 0x0100;
const revokedFlag = 0x0080;
const entryPointFlag = 0x0001;

/** Whether validating resolvers refuse every answer of the zone: it has DS records that a validator reads,
 *  and none of them fits a key of the zone (RFC 4035 §5.2). A zone without DS records, or with unknown
 *  algorithms and digests alone, is taken as not signed. SHA-1 does not count beside a better digest of the
 *  same algorithm (RFC 4509 §3). */
export function isChainBroken({ zone, ds, keys }: ChainFacts): boolean {
  const known = readableDs(ds);
  const hasBetter = (algorithm: number) =>
    known.some((record) => record.algorithm === algorithm && record.digestType !== sha1Type);
  const readable = known.filter(
    ({ algorithm, digestType }) => digestType !== sha1Type || !hasBetter(algorithm),
  );
  const usable = keys.filter(({ flags }) => (flags & zoneKeyFlag) !== 0 && (flags & revokedFlag) === 0);
  const fits = (record: DsRecord) => usable.some((key) => isDigestOf(record, key, zone));
  return readable.length > 0 && !readable.some(fits);
}

/** The DS records that validators read: those of a known algorithm and digest. A zone without any is
 *  insecure, and so is all below it (RFC 4035 §5.2). */
export function readableDs(ds: readonly DsRecord[]): readonly DsRecord[] {
  return ds.filter(
    ({ algorithm, digestType }) => algorithms.includes(algorithm) && digests[digestType] !== undefined,
  );
}

/** Message for a broken chain: both sides, and the step at the registrar. */
export function describeBrokenChain(chain: ChainFacts): string {
  const { zone, ds, keys, confirmed } = chain;
  const parent = ds.map(showDs).join(', ');
  const source = confirmed === false ? '; unless a resolver only remembers old records' : '';
  const problem = `the parent zone has DS records for ${zone} (${parent}), but`;
  const refusal = `so CAs refuse every answer of the zone (DNSSEC${source})`;
  if (keys.length === 0)
    return `${problem} the zone has no DNSKEY, ${refusal}; remove the DS records of ${zone} at its registrar, or turn on DNSSEC signing of the zone and give the registrar its new DS record`;
  const own = keys.map((key) => `key tag ${keyTag(key)} algorithm ${key.algorithm}`).join(', ');
  const entryPoints = keys.filter(({ flags }) => (flags & entryPointFlag) !== 0);
  const right = (entryPoints.length > 0 ? entryPoints : keys).map(
    (key) => `"${zone}. DS ${keyTag(key)} ${key.algorithm} 2 ${digestOf(key, zone, 'sha256')}"`,
  );
  return `${problem} the zone's DNSKEY records are others (${own}), ${refusal}; at the registrar of ${zone}, replace the DS records by ${right.join(' and ')}`;
}

/** The key tag, by which DS records name a key (RFC 4034 appendix B). */
export function keyTag(key: DnskeyRecord): number {
  const sum = dataOf(key).reduce((total, byte, index) => total + (index % 2 === 0 ? byte << 8 : byte), 0);
  return (sum + ((sum >> 16) & 0xffff)) & 0xffff;
}

function isDigestOf(record: DsRecord, key: DnskeyRecord, zone: string): boolean {
  const digest = digests[record.digestType];
  if (digest === undefined || record.algorithm !== key.algorithm || record.keyTag !== keyTag(key))
    return false;
  return digestOf(key, zone, digest) === Buffer.from(record.digest).toString('hex');
}

/** The digest of a key, hex: over the zone's name in wire format and the key's record (RFC 4034 §5.1.4). */
function digestOf(key: DnskeyRecord, zone: string, algorithm: string): string {
  const labels = zone.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  const owner = Buffer.concat([...labels, Buffer.of(0)]);
  return createHash(algorithm).update(owner).update(dataOf(key)).digest('hex');
}

/** The data of a DNSKEY record on the wire; the protocol is always 3 (RFC 4034 §2.1.2). */
function dataOf({ flags, algorithm, key }: DnskeyRecord): Buffer {
  return Buffer.concat([Buffer.of(flags >> 8, flags & 0xff, 3, algorithm), key]);
}

function showDs({ keyTag: tag, algorithm, digestType, digest }: DsRecord): string {
  return `key tag ${tag} algorithm ${algorithm} digest type ${digestType} ${Buffer.from(digest).toString('hex')}`;
}
