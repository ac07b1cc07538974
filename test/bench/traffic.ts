// Counts what this process asks of API servers, embedded or real, by what undici tells of its requests and
// connections.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import * as z from 'zod';

const told = z.object({ request: z.object({ method: z.string(), path: z.string() }) });

/** Requests by their method and path without the query, and connections that were made. */
export interface Traffic {
  readonly requests: readonly { readonly method: string; readonly path: string }[];
  readonly connections: number;
}

/** Does the work and gives what it asked meanwhile. */
export async function watchTraffic<T>(work: () => Promise<T>): Promise<Traffic & { readonly answer: T }> {
  const requests: { method: string; path: string }[] = [];
  let connections = 0;
  const onRequest = (message: unknown) => {
    const { method, path } = told.parse(message).request;
    requests.push({ method, path: new URL(path, 'https://any').pathname });
  };
  const onConnection = () => {
    connections += 1;
  };
  subscribe('undici:request:create', onRequest);
  subscribe('undici:client:connected', onConnection);
  try {
    const answer = await work();
    return { answer, requests, connections };
  } finally {
    unsubscribe('undici:request:create', onRequest);
    unsubscribe('undici:client:connected', onConnection);
  }
}
