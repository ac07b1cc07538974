// The inventory after parsing and defaults: certificates, the issuers they come from, the targets they go to.
import type { ClusterSpec } from './cluster-spec.ts';
import type { DnsSpec } from './dns-spec.ts';
import type { NoticeChannel } from './notice-spec.ts';
import type { RolloutSpec, WorkloadReference } from './rollout-spec.ts';

/** Key types of certificates. Every public CA signs them. */
export const keyTypes = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'] as const;
/** One of `keyTypes`. */
export type KeyType = (typeof keyTypes)[number];

/** Layouts of a Kubernetes Secret that are PEM text; `secret-layout.ts` has the keys of each. */
export const pemFormats = ['tls', 'ployst', 'nginx-ssl-proxy', 'combined-pem'] as const;
/** What a certificate is exported as: files in a format of Secrets, all as PEM, or manifests. */
export const exportFormats = [...pemFormats, 'pem', 'manifest'] as const;

/** One of `pemFormats`. */
export type PemFormat = (typeof pemFormats)[number];

/** All layouts of a Kubernetes Secret. */
export const secretFormats = [...pemFormats, 'pkcs12'] as const;
/** One of `secretFormats`. */
export type SecretFormat = (typeof secretFormats)[number];

/** Parts of a layout whose key in the Secret a user may choose: `cert` is the whole chain, leaf first; `key`
 *  the private key; `chain` the chain without the leaf; `pem` key and chain in one; `keystore` the PKCS#12
 *  file. */
export const keyRoles = ['cert', 'key', 'chain', 'pem', 'keystore'] as const;
/** One of `keyRoles`. */
export type KeyRole = (typeof keyRoles)[number];
/** Keys of a Secret by the part they contain; absent: the format's own key. */
export type KeyNames = { readonly [Role in KeyRole]?: string | undefined };
/** Where a certificate is delivered: a Kubernetes Secret or AWS Certificate Manager. */
export type TargetSpec = SecretTarget | AcmTarget;

/** Whether a target is a Kubernetes Secret. */
export function isSecretTarget(target: TargetSpec): target is SecretTarget {
  return !('acm' in target);
}

/** A target in AWS Certificate Manager, in one region. Every version is imported under the same ARN. */
export interface AcmTarget {
  readonly acm: {
    readonly region: string;
    /** The existing certificate to import over; absent: Certrelay creates one and finds it again. */
    readonly arn?: string | undefined;
  };
  /** Addresses that serve this target; absent: unknown. */
  readonly addresses?: readonly ProbeEndpoint[] | undefined;
}

/** A target in a cluster: one Kubernetes Secret. */
export interface SecretTarget {
  /** Key of `Inventory.clusters`. */
  readonly cluster: string;
  readonly namespace: string;
  readonly secret: string;
  readonly format: SecretFormat;
  /** Keys of the formats tls, combined-pem and pkcs12; absent: the format's own. */
  readonly keys?: KeyNames | undefined;
  /** The AWS secret with the password of a pkcs12 keystore, as plain text; present for that format only. */
  readonly password?: { readonly secret: string } | undefined;
  /** Labels and annotations that the Secret gets in addition to ours. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Which workloads to restart. `auto`: all that use the Secret. `needed`: those of them that do not read
   *  new values by themselves. `none`: none. A list: exactly these. */
  readonly restart: 'auto' | 'needed' | 'none' | readonly WorkloadReference[];
  /** How to restart. `annotation`: sets an annotation of the pod template. `env`: sets
   *  LETSENCRYPT_CERT_REFRESH, as ployst did. */
  readonly restartStrategy: 'annotation' | 'env';
  /** Absent: all workloads restart at once, at any time, and nothing is taken back. */
  readonly rollout?: RolloutSpec | undefined;
  /** Whether to take over an existing Secret without our label. */
  readonly adopt: boolean;
  /** Whether to delete and create again a Secret of another (immutable) `type`. */
  readonly replace: boolean;
  /** Addresses that serve this target; absent: unknown. */
  readonly addresses?: readonly ProbeEndpoint[] | undefined;
}

/** An address to connect to, without brackets, and its port; absent: the usual port. */
export interface ProbeEndpoint {
  readonly address: string;
  readonly port?: number;
}

/** Where to probe what is served under a certificate's names. */
export interface ProbeSpec {
  /** Probed under every name, instead of the addresses in DNS. */
  readonly addresses?: readonly ProbeEndpoint[] | undefined;
  /** Absent: 443. */
  readonly port?: number | undefined;
  /** Names to probe instead of the certificate's; none is a wildcard. */
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
  /** Issuers to try, in this order, once the ones before have failed too often; absent: none. */
  readonly fallbackIssuers?: readonly string[] | undefined;
  readonly key: KeyType;
  /** `never`: a renewal keeps the private key, unless its type changed or it was revoked. Absent: each
   *  renewal makes a new key. */
  readonly rotateKey?: 'never' | undefined;
  /** Renew this long before `notAfter`, in milliseconds; absent: the CA or the lifetime decides. */
  readonly renewBeforeMs?: number | undefined;
  /** `false`: nothing is probed; absent: the addresses that DNS has for the names. */
  readonly probe?: ProbeSpec | false | undefined;
  readonly targets: readonly TargetSpec[];
}

/** How control of names is proved. dns-01: one TXT value for each order (RFC 8555 §8.4). dns-persist-01: one
 *  that stays. */
export const challengeTypes = ['dns-01', 'dns-persist-01'] as const;
/** One of `challengeTypes`. */
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
  /** External account binding (RFC 8555 §7.3.4): an AWS secret with `{"kid": …, "hmacKey": …}`. */
  readonly eab?: { readonly secret: string } | undefined;
  /** Prefer the chain whose topmost certificate has an issuer with this common name (RFC 8555 §7.4.2). */
  readonly preferredChain?: string | undefined;
  /** Extra trust anchors for the CA's TLS: PEM text, or a file that contains it. */
  readonly caBundle?: string | { readonly file: string } | undefined;
  /** The challenge to use if the CA offers it; absent: dns-01. */
  readonly challenge?: ChallengeType | undefined;
  /** Names of the CA, lower case, that CAA and dns-persist-01 records may contain, in addition to names in
   *  the registered domain of the directory. */
  readonly caaIdentity?: readonly string[] | undefined;
  /** Failures in a row after which `issue` tries the certificate's next issuer; absent: 3. */
  readonly attempts?: number | undefined;
  /** Key of an issuer at a test CA. After a failure that one must validate the names before this issuer is
   *  asked again. */
  readonly rehearsal?: string | undefined;
  /** Where its certificates may be delivered, each `cluster` or `cluster/namespace`; absent: everywhere. */
  readonly onlyFor?: readonly string[] | undefined;
}

/** A restart that a sender may ask for: a word, or one workload in the target's namespace. */
export type AllowedRestart = 'auto' | 'needed' | 'none' | WorkloadReference;

/** What senders to the webhook may ask for. */
export interface RegistrationSpec {
  /** A requested name must be one of these or below one. */
  readonly zones: readonly string[];
  /** Restarts that a sender may ask for, in addition to those of `targets`; absent: `auto` only. */
  readonly restarts?: readonly AllowedRestart[] | undefined;
  /** Whether requests may be signed as GitHub signs its webhooks; absent: not decided yet. */
  readonly github?: boolean | undefined;
  readonly issuer: string;
  readonly fallbackIssuers?: readonly string[] | undefined;
  readonly key: KeyType;
  /** `secret` may contain `{name}`, which stands for the certificate's name. */
  readonly targets: readonly TargetSpec[];
}

/** A namespace in which objects may ask for certificates. */
export interface DiscoveryScope {
  /** Key of `Inventory.clusters`. */
  readonly cluster: string;
  readonly namespace: string;
  /** Absent: it may ask for everything that `discovery` allows, including wildcards and the zones' own
   *  names. */
  readonly tenant?: TenantRules | undefined;
}

/** What one namespace may ask for. `namespaceRules` takes what is absent from `discovery`. */
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

/** Which Kubernetes objects may ask for certificates, and for what. */
export interface DiscoverySpec {
  readonly places: readonly DiscoveryScope[];
  /** A requested name must be one of these or below one; empty if each namespace has its own zones. */
  readonly zones: readonly string[];
  /** The annotation by which an object asks; its value must be `true`. */
  readonly annotation: string;
  /** Whether the annotations of kube-lego and cert-manager count as well. */
  readonly hints: boolean;
  /** Classes of the Ingresses, Gateways and ListenerSets to read; absent: all. */
  readonly classes?: readonly string[] | undefined;
  /** Class of an Ingress that names none; absent: no class. */
  readonly defaultClass?: string | undefined;
  readonly issuer: string;
  readonly fallbackIssuers?: readonly string[] | undefined;
  readonly key: KeyType;
  /** Whether to take over existing Secrets without our label. */
  readonly adopt: boolean;
  /** Whether certificates that no object asks for any more are retired. */
  readonly retire: boolean;
}

/** The whole inventory (`infra/certificates.yaml`). */
export interface Inventory {
  readonly issuers: Readonly<Record<string, IssuerSpec>>;
  readonly clusters: Readonly<Record<string, ClusterSpec>>;
  readonly certificates: readonly CertificateSpec[];
  readonly registration?: RegistrationSpec | undefined;
  readonly discovery?: DiscoverySpec | undefined;
  readonly dns?: DnsSpec | undefined;
  /** Channels for notices to people; absent: not decided. */
  readonly notifications?: readonly NoticeChannel[] | undefined;
  /** Tags of the operator's own for AWS secrets of certificates that are made from now on. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** ARN of the KMS key for AWS secrets of certificates that are made from now on; absent: AWS's own. */
  readonly kmsKey?: string | undefined;
}
