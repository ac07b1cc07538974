// Decides what one target's cluster Secret should hold, and what to do about the one that is there.
import type { Bundle } from '../../certificate/bundle.ts';
import { layOut } from '../../certificate/formats.ts';
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

/** A verified bundle as what is to be delivered. */
export function describeDelivery(certificate: string, version: string, bundle: Bundle): Delivery {
  const { chain, key, facts } = bundle;
  const { fingerprint, notAfter } = facts;
  return { certificate, version, chain, key, fingerprint, notAfter };
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
 *  from the run. `password` is a keystore's; `found`: the Secret that is there, whose keystore stays where it is still right.
 *  @throws Error where the format needs a password and there is none. */
export function describeSecret(
  delivery: Delivery,
  target: SecretTarget,
  password?: string,
  found?: Pick<ClusterSecret, 'data' | 'annotations'>,
): SecretManifest {
  const held = found && { values: decodeData(found), seal: found.annotations[keystoreAnnotation] };
  const { type, values, seal } = layOut(delivery, { ...target, password, held });
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

/** Judges the Secret that is there. A Secret without our label, or with another of our certificates in it, is never changed
 *  unless the target says `adopt`; one of another `type`, which no patch can change, only if it says `replace`. */
export function planSecret(
  target: SecretTarget,
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
  const isSameData = isAsWanted(found.data, wanted.data, found.owned.data);
  if (found.immutable && !isSameData) {
    const message = `Secret ${name} is immutable: delete it, or name another Secret; Certrelay makes Secrets that can be changed`;
    return { action: 'refuse', code: 'Rejected', message };
  }
  const isSame =
    isSameData &&
    isAsWanted(found.labels, wanted.labels, found.owned.labels) &&
    isAsWanted(found.annotations, wanted.annotations, found.owned.annotations);
  return { action: isSame && isApplied(wanted, found) ? 'keep' : 'apply' };
}

/** Whether the API server still knows that all of it is ours, which a backup forgets: without that it would never be pruned. */
function isApplied(wanted: SecretManifest, { owned }: ClusterSecret): boolean {
  return (['data', 'labels', 'annotations'] as const).every((part) =>
    Object.keys(wanted[part]).every((name) => owned[part].includes(name)),
  );
}

/** What keeps a Secret, as it was stored, from being what was applied: the names of keys that differ. Admission may have
 *  changed them on the way. */
export function compareStored(wanted: SecretManifest, stored: ClusterSecret): readonly string[] {
  const keys = Object.keys(wanted.data).filter((key) => stored.data[key] !== wanted.data[key]);
  return stored.type === wanted.type ? keys : [...keys, 'type'];
}

/** `prod/shop/shop-tls`, as events and messages name a Secret. */
export function nameTarget(target: Pick<SecretTarget, 'cluster' | 'namespace' | 'secret'>): string {
  return `${target.cluster}/${target.namespace}/${target.secret}`;
}

/** As events and messages name any target of the certificate: `prod/shop/shop-tls`, or `acm/us-east-1/shop`. */
export function nameDestination(target: TargetSpec, certificate: string): string {
  return 'acm' in target ? `acm/${target.acm.region}/${certificate}` : nameTarget(target);
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
    labels: without(found.labels, [...Object.keys(wanted.labels), ...found.owned.labels]),
    annotations: without(found.annotations, [
      ...Object.keys(wanted.annotations),
      ...found.owned.annotations,
      // It describes an object of another type, data included, to "kubectl apply".
      'kubectl.kubernetes.io/last-applied-configuration',
    ]),
    data: without(found.data, [...Object.keys(wanted.data), ...found.owned.data]),
  };
}

function without(map: Readonly<Record<string, string>>, names: readonly string[]) {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)));
}

/** Whether all that is wanted is there, and nothing of ours beside it. */
function isAsWanted(
  map: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
  owned: readonly string[],
): boolean {
  return (
    Object.entries(wanted).every(([name, value]) => map[name] === value) &&
    owned.every((name) => Object.hasOwn(wanted, name))
  );
}
