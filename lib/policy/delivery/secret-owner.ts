// Whose a Kubernetes Secret is, and what others may do to it.
import { oneLine } from '../bounds.ts';
import {
  type ClusterSecret,
  certificateAnnotation,
  managedByLabel,
  type SecretManifest,
} from '../kubernetes/objects.ts';

/** The parts of a Secret that hold entries by name, and the word before a name in messages. */
export const parts = [
  { part: 'data', word: '' },
  { part: 'labels', word: 'label ' },
  { part: 'annotations', word: 'annotation ' },
] as const;

/** Whose Secret it is, to continue a message `Secret … `; `undefined` if it is ours and for this
 *  certificate. Ours is also a Secret whose label admission changed or removed: managedFields still say then
 *  that we applied the label. If a person takes the label away, the server deletes that entry. */
export function describeOtherOwner(desired: SecretManifest, found: ClusterSecret): string | undefined {
  const label = found.labels[managedByLabel.name];
  if (label !== managedByLabel.value && !found.owned.labels.includes(managedByLabel.name)) {
    const reason = label === undefined ? 'it has no' : `its value is "${label}" for the`;
    return `exists and is not Certrelay's (${reason} label ${managedByLabel.name})`;
  }
  const certificate = found.annotations[certificateAnnotation];
  if (certificate === undefined || certificate === desired.annotations[certificateAnnotation])
    return undefined;
  return `contains certificate ${certificate} (annotation ${certificateAnnotation})`;
}

/** Most characters of an owner's kind and name in a message. */
const longestOwner = 200;

/** What may go wrong with an existing Secret later, a sentence each, for the report.
 *  @param name As messages name the Secret. */
export function describeRisks(
  name: string,
  desired: SecretManifest,
  found: ClusterSecret,
): readonly string[] {
  const lost = parts.flatMap(({ part, word }) =>
    found.owned[part]
      .filter((entry) => Object.hasOwn(desired[part], entry) && !Object.hasOwn(found[part], entry))
      .map((entry) => `${word}${entry}`),
  );
  const { owner } = found;
  return [
    ...(owner === undefined
      ? []
      : [
          `Secret ${name} has an owner (ownerReferences), ${oneLine(`${owner.kind} ${owner.name}`, longestOwner)}: it may overwrite the Secret, and Kubernetes deletes both together; take the ownerReference out of the Secret once the owner no longer manages it`,
        ]),
    ...(lost.length === 0
      ? []
      : [`admission removed ${lost.join(', ')} of Secret ${name} when Certrelay wrote it last`]),
    ...(found.immutable
      ? [
          `Secret ${name} is immutable, so it cannot take the next certificate: delete it before that, and the next run creates it`,
        ]
      : []),
  ];
}
