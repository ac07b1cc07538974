// What a user asks for: certificates, where they come from and where they go, after parsing and defaults.
import type { ClusterSpec } from './cluster-spec.ts';
import type { DnsSpec } from './dns-spec.ts';

/** Key algorithms every public CA signs (Let's Encrypt's accepted list). */
export const keyTypes = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'] as const;
export type KeyType = (typeof keyTypes)[number];

/** Layouts of a cluster Secret that are text throughout; see `formats.ts` for the keys each one holds. */
export const pemFormats = ['tls', 'ployst', 'nginx-ssl-proxy', 'combined-pem'] as const;
export type PemFormat = (typeof pemFormats)[number];

/** All layouts. */
export const secretFormats = [...pemFormats, 'pkcs12'] as const;
export type SecretFormat = (typeof secretFormats)[number];

/** What a user may name the key of: `cert` the whole chain, leaf first, `key` the private key, `chain` what follows the
 *  leaf, `pem` key and chain in one, `keystore` the PKCS#12 file. */
export const keyRoles = ['cert', 'key', 'chain', 'pem', 'keystore'] as const;
export type KeyRole = (typeof keyRoles)[number];
export type KeyNames = { readonly [Role in KeyRole]?: string | undefined };

/** Workload kinds whose pod template can be patched to start a rollout. */
export const workloadKinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;
export type WorkloadKind = (typeof workloadKinds)[number];

/** One workload in the target's namespace. */
export interface WorkloadReference {
  readonly kind: WorkloadKind;
  readonly name: string;
}

/** One place that receives the certificate: a cluster Secret, or AWS Certificate Manager. */
export type TargetSpec = SecretTarget | AcmTarget;

/** Whether a target is a cluster Secret. */
export function isSecretTarget(target: TargetSpec): target is SecretTarget {
  return !('acm' in target);
}

/** Imported into AWS Certificate Manager in one region, always under the same ARN. */
export interface AcmTarget {
  readonly acm: {
    readonly region: string;
    /** Imported over this one; absent: Certrelay makes one, and finds it again. */
    readonly arn?: string | undefined;
  };
  /** Where this target is served; absent: nobody knows. */
  readonly addresses?: readonly ProbeEndpoint[] | undefined;
}

/** One cluster Secret that receives the certificate. */
export interface SecretTarget {
  /** Key of `Inventory.clusters`. */
  readonly cluster: string;
  readonly namespace: string;
  readonly secret: string;
  readonly format: SecretFormat;
  /** Other names for the keys of the formats tls, combined-pem and pkcs12; absent: the format's own. */
  readonly keys?: KeyNames | undefined;
  /** The AWS secret that holds the password of a pkcs12 keystore, as plain text; there where the format is that. */
  readonly password?: { readonly secret: string } | undefined;
  /** Labels and annotations that the Secret gets beside ours. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** `auto` rolls the workloads found to use the Secret, `needed` those of them that do not see new values by themselves,
   *  `none` rolls nothing, a list rolls just those. */
  readonly restart: 'auto' | 'needed' | 'none' | readonly WorkloadReference[];
  /** `annotation` patches the pod template's annotation; `env` sets LETSENCRYPT_CERT_REFRESH as ployst did. */
  readonly restartStrategy: 'annotation' | 'env';
  /** Absent: all workloads are restarted at once, at any time, and there is no way back. */
  readonly rollout?: RolloutSpec | undefined;
  /** Take over a Secret that exists and does not carry our label. */
  readonly adopt: boolean;
  /** Delete and create again a Secret whose immutable `type` is another. */
  readonly replace: boolean;
  /** Where this target is served; absent: nobody knows. */
  readonly addresses?: readonly ProbeEndpoint[] | undefined;
}

/** How a target's workloads change over to a new certificate: in steps, each of them watched, with the way back. */
export interface RolloutSpec {
  /** Restarted first, alone; absent: there is none. */
  readonly canary?: WorkloadReference | undefined;
  /** How many groups the others are restarted in, one after the other; at least 1. */
  readonly waves: number;
  /** How long the canary or one wave may take, in milliseconds, the look at what is served included. */
  readonly deadlineMs: number;
  /** Whether what is served is looked at after each. */
  readonly probe: boolean;
  /** When restarts may begin; empty: at any time. */
  readonly windows: readonly MaintenanceWindow[];
}

/** In the order of the week, as they are written. */
export const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** A span of the day, on some days of the week, by the clocks of a time zone. */
export interface MaintenanceWindow {
  /** Those on which it begins, in the order of the week. */
  readonly days: readonly Weekday[];
  /** Minutes of the day, the second one excluded; one that is not later than the first is of the next day. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** IANA name. */
  readonly timeZone: string;
}

/** An address to connect to, without brackets, and a port where it is another than the usual one. */
export interface ProbeEndpoint {
  readonly address: string;
  readonly port?: number;
}

/** Where to look at what is served under a certificate's names. */
export interface ProbeSpec {
  /** Looked at under every name, instead of what DNS says of each. */
  readonly addresses?: readonly ProbeEndpoint[] | undefined;
  /** Absent: 443. */
  readonly port?: number | undefined;
  /** Names, none of them a wildcard, to look at instead of the certificate's. */
  readonly names?: readonly string[] | undefined;
}

/** One certificate to keep. */
export interface CertificateSpec {
  /** `[a-z0-9-]`, unique; names the AWS secret. */
  readonly name: string;
  /** Lower case, punycode, without repeats; the first is the primary. */
  readonly domains: readonly string[];
  /** Key of `Inventory.issuers`. */
  readonly issuer: string;
  /** Issuers that are tried in their turn once those before have failed too often; absent: none. */
  readonly fallbackIssuers?: readonly string[] | undefined;
  readonly key: KeyType;
  /** `never`: a renewal keeps the private key, as long as it is of that type and was not revoked; absent: a new one each
   *  time. */
  readonly rotateKey?: 'never' | undefined;
  /** Renew this long before `notAfter`, in milliseconds; absent: the CA or the lifetime decides. */
  readonly renewBeforeMs?: number | undefined;
  /** `false`: nobody looks at what is served; absent: what DNS says of the names is looked at. */
  readonly probe?: ProbeSpec | false | undefined;
  readonly targets: readonly TargetSpec[];
}

/** How names are proved. dns-01: a TXT value for each order (RFC 8555 §8.4). dns-persist-01: one that stays. */
export const challengeTypes = ['dns-01', 'dns-persist-01'] as const;
export type ChallengeType = (typeof challengeTypes)[number];

/** One ACME account at one CA. */
export interface IssuerSpec {
  /** Directory URL (RFC 8555 §7.1.1), shortcuts already resolved. */
  readonly directory: string;
  /** `mailto:` URLs, lower case; may be empty. */
  readonly contact: readonly string[];
  readonly agreeToTerms: true;
  /** Profile named in newOrder; absent: the CA's default. */
  readonly profile?: string | undefined;
  /** Binds the account to one that the CA's owner has made elsewhere (RFC 8555 §7.3.4): the AWS secret that holds
   *  `{"kid": …, "hmacKey": …}`. */
  readonly eab?: { readonly secret: string } | undefined;
  /** Of several chains take the one whose topmost certificate has an issuer with this common name (RFC 8555 §7.4.2). */
  readonly preferredChain?: string | undefined;
  /** Extra trust anchors for the directory's TLS: PEM text, or a file that holds it. */
  readonly caBundle?: string | { readonly file: string } | undefined;
  /** Wanted where the CA offers it; absent: dns-01. */
  readonly challenge?: ChallengeType | undefined;
  /** Names of the CA, lower case, that CAA and dns-persist-01 records may hold, beside those of the directory's own registered
   *  domain. */
  readonly caaIdentity?: readonly string[] | undefined;
  /** Failures in a row after which a certificate's next issuer is tried; absent: 3. */
  readonly attempts?: number | undefined;
  /** Key of the issuer, at a CA for tests, that has to validate the names again after a failure before this one is asked. */
  readonly rehearsal?: string | undefined;
  /** Where its certificates may go, each `cluster` or `cluster/namespace`; absent: everywhere. */
  readonly onlyFor?: readonly string[] | undefined;
}

/** What a sender may ask to be restarted: a word, or one workload of the target's namespace. */
export type AllowedRestart = 'auto' | 'needed' | 'none' | WorkloadReference;

/** What the webhook may ask for. */
export interface RegistrationSpec {
  /** A registered domain must be one of these or below one. */
  readonly zones: readonly string[];
  /** Which `restart` a sender may name beside what `targets` say themselves; absent: `auto` alone. */
  readonly restarts?: readonly AllowedRestart[] | undefined;
  /** Whether requests may be signed as GitHub signs its webhooks; absent: nobody has decided yet. */
  readonly github?: boolean | undefined;
  readonly issuer: string;
  readonly fallbackIssuers?: readonly string[] | undefined;
  readonly key: KeyType;
  /** `secret` may hold `{name}`, the certificate's name. */
  readonly targets: readonly TargetSpec[];
}

/** A namespace in which objects may ask for certificates. */
export interface DiscoveryScope {
  /** Key of `Inventory.clusters`. */
  readonly cluster: string;
  readonly namespace: string;
  /** Absent: it may ask for all that `discovery` says, wildcards and the names of the zones themselves too. */
  readonly tenant?: TenantRules | undefined;
}

/** What one place may ask for; what is absent is as `discovery` says. `placeRules` fills that in. */
export interface TenantRules {
  /** Instead of those of `discovery`. */
  readonly zones?: readonly string[] | undefined;
  /** Instead of `issuer` and `fallbackIssuers` of `discovery`. */
  readonly issuer?: string | undefined;
  readonly fallbackIssuers?: readonly string[] | undefined;
  /** Whether wildcards may be asked for. */
  readonly wildcards: boolean;
  /** Whether the name of a zone itself may be asked for, not only names below it. */
  readonly apex: boolean;
}

/** Which objects of clusters may ask for certificates, and for what. */
export interface DiscoverySpec {
  readonly places: readonly DiscoveryScope[];
  /** A name that is asked for must be one of these or below one; empty where each place has zones of its own. */
  readonly zones: readonly string[];
  /** Name of the annotation by which an object asks, with the value `true`. */
  readonly annotation: string;
  /** Whether the annotations of kube-lego and cert-manager ask too. */
  readonly hints: boolean;
  /** Classes of Ingresses and Gateways that are looked at; absent: all. */
  readonly classes?: readonly string[] | undefined;
  /** Class of an Ingress that names none; absent: it is of no class. */
  readonly defaultClass?: string | undefined;
  readonly issuer: string;
  readonly fallbackIssuers?: readonly string[] | undefined;
  readonly key: KeyType;
  /** Take over Secrets that exist and do not carry our label. */
  readonly adopt: boolean;
}

/** The whole of `infra/certificates.yaml`. */
export interface Inventory {
  readonly issuers: Readonly<Record<string, IssuerSpec>>;
  readonly clusters: Readonly<Record<string, ClusterSpec>>;
  readonly certificates: readonly CertificateSpec[];
  readonly registration?: RegistrationSpec | undefined;
  readonly discovery?: DiscoverySpec | undefined;
  readonly dns?: DnsSpec | undefined;
}
