// Objects as a Table (meta.k8s.io/v1), which `kubectl get` asks for: the server decides what is shown.
import type { Request } from '../http-server.ts';
import { columnsOf, type TableColumn } from './columns.ts';
import type { KubernetesObject } from './objects.ts';
import { badRequest, type ResourceKind } from './status.ts';

/** What a client wants of each row's object, or `undefined` where it wants no Table.
 *  @throws StatusError 400 for an `includeObject` that there is not. */
export function readTableWish({
  headers,
  url,
}: Pick<Request, 'headers' | 'url'>): IncludedObject | undefined {
  const [first = ''] = (headers.accept ?? '').split(',');
  const parts = new Set(first.split(';').map((part) => part.trim()));
  if (!parts.has('as=Table') || !parts.has('g=meta.k8s.io')) return undefined;
  if (!parts.has('v=v1') && !parts.has('v=v1beta1')) return undefined;
  const included = url.searchParams.get('includeObject') ?? 'Metadata';
  if (included !== 'None' && included !== 'Metadata' && included !== 'Object') {
    throw badRequest(`unrecognized includeObject value: "${included}"`);
  }
  return included;
}

/** How much of its object a row has. */
export type IncludedObject = 'None' | 'Metadata' | 'Object';

/** Objects of one kind, as a Table. @param metadata That of the list, or of the object. */
export function toTable(
  { resource }: ResourceKind,
  objects: readonly KubernetesObject[],
  { metadata, included, now }: { metadata: object; included: IncludedObject; now: Date },
): object {
  const columns = columnsOf(resource);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columns.map(describeColumn),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.read(object, now)),
      ...(included === 'None' ? {} : { object: included === 'Object' ? object : metadataOf(object) }),
    })),
  };
}

function describeColumn({ name, type, wide }: TableColumn): object {
  const format = name === 'Name' ? 'name' : '';
  return { name, type, format, description: `${name} of the object`, priority: wide ? 1 : 0 };
}

function metadataOf({ metadata }: KubernetesObject): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}
