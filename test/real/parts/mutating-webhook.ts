// An admission webhook on 127.0.0.1 that changes Secrets on their way into a real cluster.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import * as z from 'zod';
import { makeDirectory, removeDirectory } from './process.ts';
import { makeServingCertificate } from './serving-certificate.ts';

/** One operation of a JSON Patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move';
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** A running webhook. */
export interface MutatingWebhook {
  /** What it does to each Secret; changed at will. At first nothing. */
  patch: readonly PatchOperation[];
  /** How often it was asked. */
  calls: number;
  /** A MutatingWebhookConfiguration that sends it Secrets of the namespace. */
  configurationFor(namespace: string): object;
  stop(): Promise<void>;
}

const review = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  request: z.object({ uid: z.string(), operation: z.string() }),
});

/** Starts a webhook that allows everything, and patches what is created or updated. */
export async function startMutatingWebhook(): Promise<MutatingWebhook> {
  const files = await makeDirectory('mutating-webhook');
  const { caFile, certificateFile, keyFile } = await makeServingCertificate(files);
  const [ca, cert, key] = await Promise.all(
    [caFile, certificateFile, keyFile].map((file) => readFile(file, 'utf8')),
  );
  const answer = async (incoming: IncomingMessage, response: ServerResponse) => {
    const { apiVersion, kind, request } = review.parse(await json(incoming));
    webhook.calls += 1;
    const patch = Buffer.from(JSON.stringify(webhook.patch)).toString('base64');
    const changes = webhook.patch.length === 0 ? {} : { patchType: 'JSONPatch', patch };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ apiVersion, kind, response: { uid: request.uid, allowed: true, ...changes } }),
    );
  };
  const server = createServer({ cert, key }, (incoming, response) => void answer(incoming, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const webhook: MutatingWebhook = {
    patch: [],
    calls: 0,
    configurationFor: (namespace) => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'changer' },
      webhooks: [
        {
          name: 'changer.example.com',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: {
            url: `https://127.0.0.1:${port}/`,
            caBundle: Buffer.from(ca ?? '').toString('base64'),
          },
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          rules: [
            {
              apiGroups: [''],
              apiVersions: ['v1'],
              operations: ['CREATE', 'UPDATE'],
              resources: ['secrets'],
            },
          ],
        },
      ],
    }),
    async stop() {
      server.closeAllConnections();
      server.close();
      await removeDirectory(files);
    },
  };
  return webhook;
}
