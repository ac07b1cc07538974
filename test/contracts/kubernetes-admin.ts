// Prepares and inspects a cluster in tests, with plain requests: what is tested has a client of its own.
import { Agent, request } from 'undici';
import * as z from 'zod';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';

const object = z.looseObject({
  metadata: z.looseObject({
    resourceVersion: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  data: z.record(z.string(), z.string()).optional(),
});

/** A cluster's person with all rights. */
export interface Admin {
  /** @throws Error unless it was created. */
  create(path: string, body: object): Promise<void>;
  /** @throws Error unless it is there. */
  get(path: string): Promise<z.infer<typeof object>>;
  /** JSON merge patch. @throws Error unless it was carried out. */
  patch(path: string, body: object): Promise<void>;
  /** @throws Error unless it was there. */
  remove(path: string): Promise<void>;
  close(): Promise<void>;
}

export function openAdmin(kubeconfig: string): Admin {
  const { server, ca, token } = readKubeconfig('admin', kubeconfig);
  const dispatcher = new Agent({ connect: { ca } });
  const call = async (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<unknown> => {
    const answer = await request(`${server}${path}`, {
      method,
      dispatcher,
      headers: {
        authorization: `Bearer ${token}`,
        'user-agent': 'kubectl-test/1',
        'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return JSON.parse(text);
  };
  return {
    create: async (path, body) => void (await call('POST', path, body)),
    get: async (path) => object.parse(await call('GET', path)),
    patch: async (path, body) => void (await call('PATCH', path, body)),
    remove: async (path) => void (await call('DELETE', path)),
    close: () => dispatcher.destroy(),
  };
}
