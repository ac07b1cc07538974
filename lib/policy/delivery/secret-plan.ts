// Decides what a target's Kubernetes Secret must contain, and whether to create, apply, replace or refuse it.
import type { Bundle } from '../../certificate/bundle.ts';
import { layOut } from '../../certificate/secret-layout.ts';
import type { SecretTarget, TargetSpec } from '../../certificate/spec.ts';
import {
  type ClusterSecret,
  certificateAnnotation,
  keystoreAnnotation,
  managedByLabel,
  notAfterAnnotation,
  type SecretManifest,
  versionAnnotation,
} from '../kubernetes/objects.ts';

/** One version of a certificate with its private key, to be delivered. Never logged. */
export interface Delivery {
  readonly certificate: string;
  /** Version id of the AWS secret. */
  readonly version: string;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint: string;
  readonly notAfter: Date;
  /** PEM, leaf first. */
  readonly chain: string;
  /** PKCS#8 PEM. */
  readonly key: string;
}

/** Makes a delivery from a verified bundle.
 *  @param version Version id of the AWS secret. */
export function describeDelivery(certificate: string, version: string, bundle: Bundle): Delivery {
  const { chain, key, facts } = bundle;
  const { fingerprint, notAfter } = facts;
  return { certificate, version, chain, key, fingerprint, notAfter };
}

/** What to do with a target's Secret. `replace` deletes it and creates it again, first with `kept`: the
 *  keys, labels and annotations of others. */
export type SecretPlan =
  | { readonly action: 'create' | 'apply' | 'keep' }
  | { readonly action: 'replace'; readonly kept: SecretManifest }
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
      'certrelay.dev/fingerprint': delivery.fingerprint,
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
 *  allows it.
 *  `TypeConflict`: it has another `type`, which Kubernetes never changes; `replace: true` allows to recreate
 *  it.
 *  `Rejected`: it is immutable. */
export function planSecret(
  target: SecretTarget,
  desired: SecretManifest,
  found: ClusterSecret | undefined,
): SecretPlan {
  if (!found) return { action: 'create' };
  const name = nameTarget(target);
  const owner = target.adopt ? undefined : describeOtherOwner(desired, found);
  if (owner !== undefined) {
    const message = `Secret ${name} ${owner}: set "adopt: true" on the target to take it over, or name another Secret`;
    return { action: 'refuse', code: 'Foreign', message };
  }
  if (found.type !== desired.type) {
    if (target.replace) return { action: 'replace', kept: describeForeign(desired, found) };
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
  return { action: isSame && isOwned(desired, found) ? 'keep' : 'apply' };
}

/** Whether managedFields say that all of it is ours. A restored backup has lost that, and `prune` needs
 *  it. */
function isOwned(desired: SecretManifest, { owned }: ClusterSecret): boolean {
  return (['data', 'labels', 'annotations'] as const).every((part) =>
    Object.keys(desired[part]).every((name) => owned[part].includes(name)),
  );
}

/** Compares the Secret that the API server stored with the applied one. Returns the names of data keys
 *  that differ, and `type` if that differs; empty if they are equal. An admission webhook may have changed
 *  them. */
export function compareStored(applied: SecretManifest, stored: ClusterSecret): readonly string[] {
  const keys = Object.keys(applied.data).filter((key) => stored.data[key] !== applied.data[key]);
  return stored.type === applied.type ? keys : [...keys, 'type'];
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

/** Whose Secret it is, to continue a message `Secret … `; `undefined` if it is ours and for this
 *  certificate. */
function describeOtherOwner(desired: SecretManifest, found: ClusterSecret): string | undefined {
  const label = found.labels[managedByLabel.name];
  if (label !== managedByLabel.value) {
    const reason = label === undefined ? 'it has no' : `its value is "${label}" for the`;
    return `exists and is not Certrelay's (${reason} label ${managedByLabel.name})`;
  }
  const certificate = found.annotations[certificateAnnotation];
  if (certificate === undefined || certificate === desired.annotations[certificateAnnotation])
    return undefined;
  return `contains certificate ${certificate} (annotation ${certificateAnnotation})`;
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
