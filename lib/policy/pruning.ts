// Decides which cluster Secrets of ours have lost their target, so that they may go.
import { isSecretTarget, type TargetSpec } from '../certificate/spec.ts';
import {
  certificateAnnotation,
  type ListedSecret,
  managedByLabel,
  versionAnnotation,
} from './cluster-objects.ts';
import { nameTarget } from './deployment.ts';

/** What is sure of one certificate: all of its targets, and the versions of it that are in use. */
export interface KnownTargets {
  readonly targets: readonly TargetSpec[];
  readonly versions: readonly string[];
}

/** The Secrets of a namespace whose target is gone. Each carries our label and names a certificate that is known here, in a
 *  version that is in use: another Certrelay may keep a certificate of the same name for the same namespace, and what is
 *  its own stays. So does a Secret whose certificate could not be looked at, whoever registered it. */
export function findOrphans(
  { cluster, namespace }: { readonly cluster: string; readonly namespace: string },
  listed: readonly ListedSecret[],
  known: ReadonlyMap<string, KnownTargets>,
): readonly ListedSecret[] {
  const wanted = new Set(
    [...known.values()].flatMap(({ targets }) => targets.filter(isSecretTarget).map(nameTarget)),
  );
  return listed.filter(({ name, secret: { labels, annotations } }) => {
    const certificate = known.get(annotations[certificateAnnotation] ?? '');
    const isOurs =
      labels[managedByLabel.name] === managedByLabel.value &&
      certificate?.versions.includes(annotations[versionAnnotation] ?? '') === true;
    return isOurs && !wanted.has(nameTarget({ cluster, namespace, secret: name }));
  });
}
