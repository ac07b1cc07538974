// Decides what one target's cluster Secret should hold, and what to do about the one that is there.
import { layOut } from '../certificate/formats.ts';
import type { TargetSpec } from '../certificate/spec.ts';
import {
  type ClusterSecret,
  certificateAnnotation,
  managedByLabel,
  type SecretManifest,
} from './cluster-objects.ts';

/** A certificate that is to be delivered. Never logged. */
export interface Delivery {
  readonly certificate: string;
  /** Version id of the AWS secret. */
  readonly version: string;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint: string;
  readonly notAfter: Date;
  /** PEM, leaf first, and PKCS#8 PEM. */
  readonly chain: string;
  readonly key: string;
}

/** What to do about a target's Secret. `replace` deletes it and makes it again, with `kept`: what it held of others. */
export type SecretPlan =
  | { readonly action: 'create' | 'apply' | 'keep' }
  | { readonly action: 'replace'; readonly kept: SecretManifest }
  | {
      readonly action: 'refuse';
      readonly code: 'Foreign' | 'TypeConflict' | 'Rejected';
      readonly message: string;
    };

/** The Secret that a target should hold. The same version always gives the same bytes, whoever asks: nothing in it comes
 *  from the run. */
export function describeSecret(delivery: Delivery, target: TargetSpec): SecretManifest {
  const { type, values } = layOut(delivery, target.format);
  return {
    namespace: target.namespace,
    name: target.secret,
    type,
    labels: { [managedByLabel.name]: managedByLabel.value },
    annotations: {
      [certificateAnnotation]: delivery.certificate,
      'certrelay.dev/fingerprint': delivery.fingerprint,
      'certrelay.dev/version': delivery.version,
      'certrelay.dev/not-after': delivery.notAfter.toISOString(),
    },
    data: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
  };
}

/** Judges the Secret that is there. A Secret without our label, or with another of our certificates in it, is never changed
 *  unless the target says `adopt`; one of another `type`, which no patch can change, only if it says `replace`. */
export function planSecret(
  target: TargetSpec,
  wanted: SecretManifest,
  found: ClusterSecret | undefined,
): SecretPlan {
  if (!found) return { action: 'create' };
  const name = nameTarget(target);
  const holder = target.adopt ? undefined : describeOtherHolder(wanted, found);
  if (holder !== undefined) {
    const message = `Secret ${name} ${holder}: say "adopt: true" on the target to take it over, or name another Secret`;
    return { action: 'refuse', code: 'Foreign', message };
  }
  if (found.type !== wanted.type) {
    if (target.replace) return { action: 'replace', kept: describeForeign(wanted, found) };
    const message = `Secret ${name} is of type ${found.type}, format ${target.format} needs ${wanted.type}, and a Secret's type cannot be changed: say "replace: true" on the target to delete it and make it again, or name another Secret`;
    return { action: 'refuse', code: 'TypeConflict', message };
  }
  const isSameData =
    holds(found.data, wanted.data) && found.ownedKeys.every((key) => Object.hasOwn(wanted.data, key));
  if (found.immutable && !isSameData) {
    const message = `Secret ${name} is immutable: delete it, or name another Secret; Certrelay makes Secrets that can be changed`;
    return { action: 'refuse', code: 'Rejected', message };
  }
  const isSame =
    isSameData && holds(found.labels, wanted.labels) && holds(found.annotations, wanted.annotations);
  return { action: isSame ? 'keep' : 'apply' };
}

/** What keeps a Secret, as it was stored, from being what was applied: the names of keys that differ. Admission may have
 *  changed them on the way. */
export function compareStored(wanted: SecretManifest, stored: ClusterSecret): readonly string[] {
  const keys = Object.keys(wanted.data).filter((key) => stored.data[key] !== wanted.data[key]);
  return stored.type === wanted.type ? keys : [...keys, 'type'];
}

/** `prod/shop/shop-tls`, as events and messages name a target. */
export function nameTarget(target: Pick<TargetSpec, 'cluster' | 'namespace' | 'secret'>): string {
  return `${target.cluster}/${target.namespace}/${target.secret}`;
}

/** Who has the Secret, where it is not the certificate that is wanted in it; continues "Secret … ". */
function describeOtherHolder(wanted: SecretManifest, found: ClusterSecret): string | undefined {
  const owner = found.labels[managedByLabel.name];
  if (owner !== managedByLabel.value) {
    const reason = owner === undefined ? 'it has no' : `its value is "${owner}" for the`;
    return `exists and is not Certrelay's (${reason} label ${managedByLabel.name})`;
  }
  const certificate = found.annotations[certificateAnnotation];
  if (certificate === undefined || certificate === wanted.annotations[certificateAnnotation])
    return undefined;
  return `holds the certificate ${certificate} (annotation ${certificateAnnotation})`;
}

/** What a Secret holds beside what we want in it: others' keys, labels and annotations. */
function describeForeign(wanted: SecretManifest, found: ClusterSecret): SecretManifest {
  return {
    ...wanted,
    labels: without(found.labels, wanted.labels),
    annotations: without(found.annotations, {
      ...wanted.annotations,
      // It describes an object of another type, data included, to "kubectl apply".
      'kubectl.kubernetes.io/last-applied-configuration': '',
    }),
    data: without(found.data, {
      ...wanted.data,
      ...Object.fromEntries(found.ownedKeys.map((key) => [key, ''])),
    }),
  };
}

function without(map: Readonly<Record<string, string>>, names: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !Object.hasOwn(names, name)));
}

function holds(map: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => map[name] === value);
}
