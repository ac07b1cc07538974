// Decides what a target's Kubernetes Secret must contain, and whether to create, apply, replace or refuse it.
import type { Bundle } from '../../certificate/bundle.ts';
import { layOut } from '../../certificate/secret-layout.ts';
import type { SecretTarget, TargetSpec } from '../../certificate/spec.ts';
import { listSome } from '../bounds.ts';
import {
  type ClusterSecret,
  certificateAnnotation,
  keystoreAnnotation,
  managedByLabel,
  notAfterAnnotation,
  type SecretManifest,
  versionAnnotation,
} from '../kubernetes/objects.ts';
import { describeOtherOwner, describeRisks, parts } from './secret-owner.ts';

/** Annotation of a Secret: fingerprint of the leaf that it contains. */
export const leafAnnotation = 'certrelay.dev/fingerprint';

/** One version of a certificate with its private key, to be delivered. Never logged. */
export interface Delivery {
  readonly certificate: string;
  /** Version id of the AWS secret. */
  readonly version: string;
  /** When AWS stored the version; absent: unknown. */
  readonly createdAt?: Date | undefined;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint: string;
  readonly notAfter: Date;
  /** PEM, leaf first. */
  readonly chain: string;
  /** PKCS#8 PEM. */
  readonly key: string;
}

/** Makes a delivery of a version of the AWS secret from its verified bundle. */
export function describeDelivery(
  certificate: string,
  { version, createdAt }: Pick<Delivery, 'version' | 'createdAt'>,
  bundle: Bundle,
): Delivery {
  const { chain, key, facts } = bundle;
  const { fingerprint, notAfter } = facts;
  return { certificate, version, createdAt, chain, key, fingerprint, notAfter };
}

/** What to do with a target's Secret. `replace` deletes it and creates it again, then adds `kept`: the keys,
 *  labels and annotations of others. `warnings`: what may go wrong with it later, for the report. */
export type SecretPlan =
  | { readonly action: 'create' | 'apply' | 'keep'; readonly warnings: readonly string[] }
  | {
      readonly action: 'replace';
      readonly kept: SecretManifest;
      readonly warnings: readonly string[];
    }
  | {
      readonly action: 'refuse';
      readonly code: 'Foreign' | 'TypeConflict' | 'Rejected';
      readonly message: string;
    };

/** The Secret that a target must have. The same version always gives the same bytes, in every run.
 *  @param password Of a pkcs12 keystore.
 *  @param found The existing Secret. Its keystore stays if it is unchanged and of the same chain, key and
 *  password.
 *  @throws Error if the format needs a password and there is none. */
export function describeSecret(
  delivery: Delivery,
  target: SecretTarget,
  password?: string,
  found?: Pick<ClusterSecret, 'data' | 'annotations'>,
): SecretManifest {
  const existing = found && { values: decodeData(found), seal: found.annotations[keystoreAnnotation] };
  const { type, values, seal } = layOut(delivery, { ...target, password, existing });
  return {
    namespace: target.namespace,
    name: target.secret,
    type,
    labels: { ...target.labels, [managedByLabel.name]: managedByLabel.value },
    annotations: {
      ...target.annotations,
      [certificateAnnotation]: delivery.certificate,
      [leafAnnotation]: delivery.fingerprint,
      [versionAnnotation]: delivery.version,
      [notAfterAnnotation]: delivery.notAfter.toISOString(),
      ...(seal === undefined ? {} : { [keystoreAnnotation]: seal }),
    },
    data: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
  };
}

function decodeData({ data }: Pick<ClusterSecret, 'data'>): Readonly<Record<string, Buffer>> {
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
}

/** Compares the existing Secret with the desired one.
 *  `Foreign`: it has no label of ours, or contains another of our certificates; `adopt: true` on the target
 *  allows it. A label that we applied and admission took away counts as there.
 *  `TypeConflict`: it has another `type`, which Kubernetes never changes; `replace: true` allows to recreate
 *  it.
 *  `Rejected`: it is immutable, or admission gave it another type than the one that we applied. */
export function planSecret(
  target: SecretTarget,
  desired: SecretManifest,
  found: ClusterSecret | undefined,
): SecretPlan {
  if (!found) return { action: 'create', warnings: [] };
  const name = nameTarget(target);
  const owner = target.adopt ? undefined : describeOtherOwner(desired, found);
  if (owner !== undefined) {
    const message = `Secret ${name} ${owner}: set "adopt: true" on the target to take it over, or name another Secret`;
    return { action: 'refuse', code: 'Foreign', message };
  }
  const warnings = describeRisks(name, desired, found);
  if (found.type !== desired.type) {
    if (isStoredOtherwise(desired, found)) {
      const message = `the cluster changed the type of Secret ${name} to ${found.type}, Certrelay wrote ${desired.type}: find the admission webhook or policy that changes Secrets, exclude this Secret from it, then delete the Secret`;
      return { action: 'refuse', code: 'Rejected', message };
    }
    if (target.replace) return { action: 'replace', kept: describeForeign(desired, found), warnings };
    const message = `Secret ${name} has type ${found.type}, format ${target.format} needs ${desired.type}, and Kubernetes does not change the type of a Secret: set "replace: true" on the target to delete and recreate it, or name another Secret`;
    return { action: 'refuse', code: 'TypeConflict', message };
  }
  const isSameData = isAsDesired(found.data, desired.data, found.owned.data);
  if (found.immutable && !isSameData) {
    const message = `Secret ${name} is immutable, so Certrelay cannot update it: delete it, or name another Secret`;
    return { action: 'refuse', code: 'Rejected', message };
  }
  const isSame =
    isSameData &&
    isAsDesired(found.labels, desired.labels, found.owned.labels) &&
    isAsDesired(found.annotations, desired.annotations, found.owned.annotations);
  return { action: isSame && isOwned(desired, found) ? 'keep' : 'apply', warnings };
}

/** Whether we applied just these keys, which have one type in every version of us: then admission changed the
 *  type, and to replace the Secret would end the same again. */
function isStoredOtherwise(desired: SecretManifest, { owned }: ClusterSecret): boolean {
  const keys = Object.keys(desired.data);
  return owned.data.length === keys.length && keys.every((key) => owned.data.includes(key));
}

/** Whether managedFields say that all of it is ours. A restored backup has lost that, and `prune` needs
 *  it. */
function isOwned(desired: SecretManifest, { owned }: ClusterSecret): boolean {
  return parts.every(({ part }) => Object.keys(desired[part]).every((name) => owned[part].includes(name)));
}

/** A plan that was carried out: for which Secret, and which one was there before. */
export interface AppliedPlan {
  readonly plan: Exclude<SecretPlan, { action: 'refuse' }>;
  readonly desired: SecretManifest;
  readonly found: ClusterSecret | undefined;
}

/** Most differences that a message names. */
const mostNamed = 10;

/** Compares the Secret that the API server stored with what was applied, what a `replace` keeps included.
 *  Returns what admission did, to continue a sentence: `changed tls.key`, `removed label team`,
 *  `set "immutable"`. Empty if all of it is there. What admission added is not ours, so it does not count. */
export function compareStored(
  { plan, desired, found }: AppliedPlan,
  stored: ClusterSecret,
): readonly string[] {
  const manifests = plan.action === 'replace' ? [desired, plan.kept] : [desired];
  const changes = manifests.flatMap((applied) =>
    parts.flatMap(({ part, word }) =>
      Object.entries(applied[part]).flatMap(([name, value]) =>
        stored[part][name] === value
          ? []
          : [`${Object.hasOwn(stored[part], name) ? 'changed' : 'removed'} ${word}${name}`],
      ),
    ),
  );
  const wasImmutable = plan.action !== 'replace' && found?.immutable === true;
  return listSome(
    [
      ...(stored.type === desired.type ? [] : ['changed the type']),
      ...(stored.immutable && !wasImmutable ? ['set "immutable"'] : []),
      ...changes,
    ],
    mostNamed,
  );
}

/** `cluster/namespace/secret`, as events and messages name a Secret: `prod/shop/shop-tls`. */
export function nameTarget(target: Pick<SecretTarget, 'cluster' | 'namespace' | 'secret'>): string {
  return `${target.cluster}/${target.namespace}/${target.secret}`;
}

/** How events and messages name a target of the certificate: `prod/shop/shop-tls`, or
 *  `acm/us-east-1/shop`. */
export function nameDestination(target: TargetSpec, certificate: string): string {
  return 'acm' in target ? `acm/${target.acm.region}/${certificate}` : nameTarget(target);
}

/** The data keys, labels and annotations of a Secret that neither are desired nor were applied by us. */
function describeForeign(desired: SecretManifest, found: ClusterSecret): SecretManifest {
  return {
    ...desired,
    labels: without(found.labels, [...Object.keys(desired.labels), ...found.owned.labels]),
    annotations: without(found.annotations, [
      ...Object.keys(desired.annotations),
      ...found.owned.annotations,
      // "kubectl apply" would read the old type and data from it.
      'kubectl.kubernetes.io/last-applied-configuration',
    ]),
    data: without(found.data, [...Object.keys(desired.data), ...found.owned.data]),
  };
}

function without(map: Readonly<Record<string, string>>, names: readonly string[]) {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)));
}

/** Whether every desired entry is there with its value, and no other entry of ours. */
function isAsDesired(
  map: Readonly<Record<string, string>>,
  desired: Readonly<Record<string, string>>,
  owned: readonly string[],
): boolean {
  return (
    Object.entries(desired).every(([name, value]) => map[name] === value) &&
    owned.every((name) => Object.hasOwn(desired, name))
  );
}
