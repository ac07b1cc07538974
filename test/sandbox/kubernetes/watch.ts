// A watch of the embedded API server: what has changed since the last look, as events.
import { setTimeout as pause } from 'node:timers/promises';
import type { KubernetesObject } from './objects.ts';

const lookEveryMs = 25;

interface Watched {
  /** The objects as they are now. */
  look(): readonly KubernetesObject[];
  /** Calls the listener after each stored change, until what it gives is called. */
  onChange(listener: () => void): () => void;
  /** Resource version of the newest change. */
  version(): string;
  /** An object as the client wants to see it. */
  show(object: KubernetesObject): object;
  bookmark(resourceVersion: string, annotations: object): object;
}

interface WatchOptions {
  /** Resource version that the client has seen; empty or `0`: none. */
  readonly since: string;
  /** Whether a bookmark ends the objects that are there at the beginning. */
  readonly sendsInitial: boolean;
  readonly timeoutSeconds: number;
}

/** Lines of JSON, one an event, until the time is up or the signal aborts. What the client has not seen comes
 *  first. Workloads and pods come in any case: their status changes without a new version here. */
export async function* watchObjects(
  watched: Watched,
  { since, sendsInitial, timeoutSeconds }: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const seen = since === '' || sendsInitial ? 0 : Number(since);
  const events: string[] = [];
  const tell = (type: string, object: object) => events.push(`${JSON.stringify({ type, object })}\n`);
  let known = snapshot(watched);
  for (const { object } of known.values()) {
    const isNew = Number(object.metadata.resourceVersion) > seen;
    const type = seen === 0 ? 'ADDED' : 'MODIFIED';
    if (isNew || object.status !== undefined) tell(type, watched.show(object));
  }
  if (sendsInitial) {
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    tell('BOOKMARK', watched.bookmark(watched.version(), annotations));
  }
  const lookAgain = () => {
    const next = snapshot(watched);
    for (const [key, { object, text }] of next) {
      const before = known.get(key);
      if (before?.text !== text) tell(before ? 'MODIFIED' : 'ADDED', watched.show(object));
    }
    for (const [key, { object }] of known) {
      const metadata = { ...object.metadata, resourceVersion: watched.version() };
      if (!next.has(key)) tell('DELETED', watched.show({ ...object, metadata }));
    }
    known = next;
  };
  // Each change is an event, however fast they follow one another; controllers change nothing that is stored.
  const end = watched.onChange(lookAgain);
  try {
    for (let waitedMs = 0; waitedMs < timeoutSeconds * 1000 && !signal.aborted; waitedMs += lookEveryMs) {
      yield* events.splice(0);
      await pause(lookEveryMs, undefined, { ref: false });
      lookAgain();
    }
    yield* events;
  } finally {
    end();
  }
}

/** Each object by its uid, with its text. */
function snapshot(watched: Watched) {
  return new Map(
    watched
      .look()
      .map((object) => [
        object.metadata.uid ?? object.metadata.name,
        { object, text: JSON.stringify(object) },
      ]),
  );
}
