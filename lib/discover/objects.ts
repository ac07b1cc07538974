// Lists the objects of one cluster that may request certificates.

import { type TlsObject, tlsObjectKinds } from '../policy/kubernetes/tls-objects.ts';
import { type ClusterDirectory, ClusterError, type ConnectDirectory } from '../ports/cluster.ts';
import { describeError, errorOfPart, toError } from '../ports/errors.ts';

type TlsDirectory = Pick<ClusterDirectory, 'listTlsObjects' | 'close'>;

/** Connects to a cluster to read objects that use TLS. */
export type ConnectTlsDirectory = (...cluster: Parameters<ConnectDirectory>) => Promise<TlsDirectory>;

/** A namespace whose ListenerSets may not be listed. Versions before did not need that right, so it is no
 *  failure. */
export interface UnreadKind {
  readonly place: { readonly cluster: string; readonly namespace: string };
  /** Names the missing right. */
  readonly problem: string;
}

/** What was found in one cluster. A kind that cannot be read is in `failures` or `unread`, and hides no other
 *  kind and no other namespace. */
interface ListedObjects {
  readonly objects: readonly TlsObject[];
  readonly failures: readonly Error[];
  readonly unread: readonly UnreadKind[];
  /** Namespaces of which not everything was read: who asks there is not known for sure. */
  readonly unseen: readonly string[];
}

/** The objects in the namespaces.
 *  @throws The signal's reason if it aborts. */
export async function listObjects(
  cluster: string,
  namespaces: readonly string[],
  connect: ConnectTlsDirectory,
  signal: AbortSignal,
): Promise<ListedObjects> {
  let directory: TlsDirectory | undefined;
  try {
    const opened = await connect(cluster, signal);
    directory = opened;
    const lists = await Promise.all(
      namespaces.map((namespace) => listNamespace({ cluster, namespace }, opened, signal)),
    );
    signal.throwIfAborted();
    return {
      objects: lists.flatMap(({ objects }) => objects),
      failures: lists.flatMap(({ failures }) => failures),
      unread: lists.flatMap(({ unread }) => unread),
      unseen: lists.flatMap(({ unseen }) => unseen),
    };
  } catch (cause) {
    signal.throwIfAborted();
    return { objects: [], failures: [errorOfPart(cluster, cause)], unread: [], unseen: namespaces };
  } finally {
    await directory?.close();
  }
}

async function listNamespace(
  place: UnreadKind['place'],
  directory: TlsDirectory,
  signal: AbortSignal,
): Promise<ListedObjects> {
  const lists = await Promise.allSettled(
    tlsObjectKinds.map((kind) => directory.listTlsObjects(place.namespace, [kind], signal)),
  );
  const errors = lists.map((list) => (list.status === 'rejected' ? toError(list.reason) : undefined));
  const unread = errors.filter(
    (error, index) => error && isForbidden(error) && tlsObjectKinds[index] === 'ListenerSet',
  );
  return {
    objects: lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : [])),
    failures: mergeFailures(errors.filter((error) => error && !unread.includes(error))).map((error) =>
      errorOfPart(`${place.cluster}/${place.namespace}`, error),
    ),
    unread: unread.map((error) => ({ place, problem: describeError(error) })),
    unseen: errors.some((error) => error !== undefined) ? [place.namespace] : [],
  };
}

/** Each missing right is a failure of its own; what stands in the way of all lists is one. */
function mergeFailures(errors: readonly (Error | undefined)[]): readonly Error[] {
  const failures = errors.filter((error) => error !== undefined);
  const [first] = failures.filter((error) => !isForbidden(error));
  return [...failures.filter(isForbidden), ...(first ? [first] : [])];
}

function isForbidden(error: Error): boolean {
  return error instanceof ClusterError && error.code === 'Forbidden';
}
