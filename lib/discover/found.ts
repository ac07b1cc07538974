// Reads every place of the inventory's `discovery`, and says what its objects ask for.
import type { DiscoverySpec } from '../certificate/spec.ts';
import { nameNamespace } from '../inventory/source-rules.ts';
import { type DiscoveredObject, judgeObject } from '../policy/kubernetes/discovery.ts';
import { inheritClasses, type TlsObject } from '../policy/kubernetes/tls-objects.ts';
import { type ConnectTlsDirectory, listObjects, type UnreadKind } from './objects.ts';

/** What was found in all places. */
export interface FoundObjects {
  readonly discovered: readonly DiscoveredObject[];
  readonly failures: readonly Error[];
  readonly unread: readonly UnreadKind[];
  /** Places of which it is not known for sure who asks there: something could not be listed, or an object
   *  asks for more than is read of one. As `nameNamespace` writes them. */
  readonly unseen: ReadonlySet<string>;
}

/** Looks into all places. One that cannot be read is in `failures` and does not stop the others. */
export async function findObjects(
  { places, ...discovery }: DiscoverySpec,
  connect: ConnectTlsDirectory,
  signal: AbortSignal,
): Promise<FoundObjects> {
  const byCluster = Map.groupBy(places, ({ cluster }) => cluster);
  // All clusters at once: one that does not answer must not delay the others.
  const clusters = await Promise.all(
    [...byCluster].map(async ([cluster, clusterPlaces]) => {
      const namespaces = [...new Set(clusterPlaces.map(({ namespace }) => namespace))];
      const listed = await listObjects(cluster, namespaces, connect, signal);
      const objects = inheritClasses(listed.objects);
      const judged = objects.map((object) => judgeObject(cluster, object, { ...discovery, places }));
      const unsure = objects.filter(
        (object, index) => judged[index]?.excess !== undefined || isOfUnseen(object, listed.unseen),
      );
      const unseen = [...listed.unseen, ...unsure.map(({ namespace }) => namespace)];
      return { ...listed, judged, unseen: unseen.map((namespace) => nameNamespace({ cluster, namespace })) };
    }),
  );
  return {
    discovered: clusters.flatMap(({ judged }) => judged),
    failures: clusters.flatMap(({ failures }) => failures),
    unread: clusters.flatMap(({ unread }) => unread),
    unseen: new Set(clusters.flatMap(({ unseen }) => unseen)),
  };
}

/** Whether the object has its class from a Gateway that could not be read. */
function isOfUnseen({ parent, className }: TlsObject, unseen: readonly string[]): boolean {
  return parent !== undefined && className === undefined && unseen.includes(parent.namespace);
}
