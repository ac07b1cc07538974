// Kinds that a cluster need not have, and objects of them and of others that name a Secret.
import { expect } from 'vitest';
import type { Admin } from './kubernetes-admin.ts';

/** Where definitions of kinds are created. */
export const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export const gatewayGroup = 'gateway.networking.k8s.io';

/** No more of the kind than its name: fields are kept as they are written. */
export function definitionOf(group: string, kind: string, version = 'v1') {
  const singular = kind.toLowerCase();
  const plural = `${singular}s`;
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      // The API server asks for a reviewed change where a group of kubernetes or k8s.io is defined.
      annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' },
    },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular, kind, listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}

/** What lets Gateways of other namespaces in. */
export const grantDefinition = definitionOf(gatewayGroup, 'ReferenceGrant', 'v1beta1');

/** Those of the Gateway API that Certrelay reads, but for ListenerSets, which older clusters do not have. */
export const gatewayDefinitions = [definitionOf(gatewayGroup, 'Gateway'), grantDefinition];

/** What adds listeners to a Gateway from another object. */
export const listenerSetDefinition = definitionOf(gatewayGroup, 'ListenerSet');

/** Argo Rollouts' own workload. */
export const argoDefinition = definitionOf('argoproj.io', 'Rollout', 'v1alpha1');

/** Defines the kinds, and creates the objects of them once the API server has taken them in. */
export async function createDefined(
  admin: Admin,
  definitions: readonly object[],
  objects: readonly (readonly [path: string, body: object])[],
): Promise<void> {
  for (const definition of definitions) await admin.create(definitionsPath, definition);
  for (const [path, body] of objects) {
    await expect.poll(() => admin.create(path, body).then(() => 'made', String)).toBe('made');
  }
}

/** Takes a definition away if it is there, with all objects of its kind. */
export async function removeDefinition(
  admin: Admin,
  { metadata }: { readonly metadata: { readonly name: string } },
): Promise<void> {
  const path = `${definitionsPath}/${metadata.name}`;
  await admin.remove(path).catch(() => undefined);
  const isThere = () =>
    admin.get(path).then(
      () => true,
      () => false,
    );
  await expect.poll(isThere).toBe(false);
}

/** An Ingress that serves the Secret's certificate. */
export function ingressOf(namespace: string, name: string, secretName: string): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace },
    spec: {
      defaultBackend: { service: { name: 'web', port: { number: 80 } } },
      tls: [{ hosts: ['shop.example.com'], secretName }],
    },
  };
}

/** A Gateway that serves the Secret's certificate; of its own namespace, or of the one that `secret` says. */
export function gatewayOf(
  namespace: string,
  name: string,
  secret: { readonly name: string; readonly namespace?: string },
) {
  const listener = { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [secret] } };
  return {
    apiVersion: `${gatewayGroup}/v1`,
    kind: 'Gateway',
    metadata: { name, namespace },
    spec: { gatewayClassName: 'any', listeners: [listener] },
  };
}

/** A ListenerSet of Gateway `web` that serves the Secret's certificate. */
export function listenerSetOf(
  namespace: string,
  name: string,
  secret: { readonly name: string; readonly namespace?: string },
): object {
  const listener = { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [secret] } };
  return {
    apiVersion: `${gatewayGroup}/v1`,
    kind: 'ListenerSet',
    metadata: { name, namespace },
    spec: { parentRef: { name: 'web' }, listeners: [listener] },
  };
}

/** Lets objects of another namespace, Gateways if not given, use what is in this one: Secrets if not
 *  given. */
export function grantOf(
  namespace: string,
  other: string,
  { from = 'Gateway', to = 'Secret', name }: { from?: string; to?: string; name?: string } = {},
): object {
  return {
    apiVersion: `${gatewayGroup}/v1beta1`,
    kind: 'ReferenceGrant',
    metadata: { name: name ?? `${from}-${to}-${other}`.toLowerCase(), namespace },
    spec: {
      from: [{ group: gatewayGroup, kind: from, namespace: other }],
      to: [{ group: '', kind: to }],
    },
  };
}

/** A Rollout of Argo whose pods mount the Secret. */
export function argoRolloutOf(namespace: string, name: string, secretName: string) {
  const labels = { app: name };
  const volumes = [{ name: 'tls', secret: { secretName } }];
  const containers = [{ name: 'main', image: 'registry.invalid/main:1' }];
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      strategy: { canary: {} },
      template: { metadata: { labels }, spec: { containers, volumes } },
    },
  };
}
