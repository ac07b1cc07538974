// Reading calls of the embedded API server: an object, a list, a watch; each as it is or as a Table.
import type { Answer, Request } from '../http-server.ts';
import { answerJson, type World, withStatus } from './call-context.ts';
import type { KubernetesObject } from './objects.ts';
import { listOwned } from './owned-objects.ts';
import type { ApiCall } from './requests.ts';
import { readSelectors } from './selectors.ts';
import { readTableWish, toTable } from './tables.ts';
import { watchObjects } from './watch.ts';

/** Answers `get`. @throws StatusError */
export function answerGet(call: ApiCall, request: Request, world: World): Answer {
  const { kind, namespace, name } = call;
  const owned = listOwned(kind, namespace, world).find(({ metadata }) => metadata.name === name);
  const found = owned ?? withStatus(world.objects.get(kind, namespace, name), world);
  return answerJson(200, show(call, request, world)([found], found, listMetadata(world)));
}

/** Answers `list`. @throws StatusError */
export function answerList(call: ApiCall, request: Request, world: World): Answer {
  const { kind } = call;
  const found = select(call, request, world)();
  const query = request.url.searchParams;
  const limit = Number(query.get('limit') ?? 0) || found.length;
  const start = Number(Buffer.from(query.get('continue') ?? '', 'base64url').toString() || 0);
  const end = start + limit;
  const rest = found.length - end;
  const more = { continue: Buffer.from(String(end)).toString('base64url'), remainingItemCount: rest };
  const metadata = { ...listMetadata(world), ...(rest > 0 ? more : {}) };
  const page = found.slice(start, end).map((object) => withStatus(object, world));
  const items = page.map((object) => {
    const { apiVersion: _version, kind: _kind, ...item } = object;
    return kind.knownBy === 'definition' ? object : item;
  });
  const list = { kind: `${kind.kind}List`, apiVersion: apiVersionOf(call), metadata, items };
  return answerJson(200, show(call, request, world)(page, list, metadata));
}

/** Answers `watch`: events as lines of JSON, until the client has enough. @throws StatusError */
export function answerWatch(call: ApiCall, request: Request, world: World): Answer {
  const query = request.url.searchParams;
  const selected = select(call, request, world);
  const asShown = show(call, request, world);
  const bookmark = (resourceVersion: string, annotations: object) => ({
    kind: call.kind.kind,
    apiVersion: apiVersionOf(call),
    metadata: { resourceVersion, creationTimestamp: null, annotations },
  });
  const stream = (signal: AbortSignal) =>
    watchObjects(
      {
        look: () => selected().map((object) => withStatus(object, world)),
        onChange: (listener) => world.objects.onChange(listener),
        version: () => world.objects.version(),
        show: (object) => asShown([object], object, { resourceVersion: object.metadata.resourceVersion }),
        bookmark,
      },
      {
        since: query.get('resourceVersion') ?? '',
        sendsInitial: query.get('sendInitialEvents') === 'true',
        timeoutSeconds: Number(query.get('timeoutSeconds') ?? 0) || 1800,
      },
      signal,
    );
  return { status: 200, headers: { 'content-type': 'application/json' }, stream };
}

/** Objects as the client wants them: as a Table of `page`, or what was found itself. */
function show(call: ApiCall, request: Request, { now }: World) {
  const included = readTableWish(request);
  return (page: readonly KubernetesObject[], found: object, metadata: object): object =>
    included === undefined ? found : toTable(call.kind, page, { metadata, included, now: now() });
}

function select({ kind, namespace, name }: ApiCall, { url }: Request, world: World) {
  const matches = readSelectors(kind, url.searchParams);
  return (): readonly KubernetesObject[] =>
    [...world.objects.list(kind.resource, namespace), ...listOwned(kind, namespace, world)]
      .filter((object) => name === '' || object.metadata.name === name)
      .filter(matches);
}

function listMetadata({ objects }: World): object {
  return { resourceVersion: objects.version() };
}

function apiVersionOf({ kind: { group, version } }: ApiCall): string {
  return group === '' ? version : `${group}/${version}`;
}
