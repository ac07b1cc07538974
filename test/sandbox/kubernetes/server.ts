// The sandbox's Kubernetes API server: HTTPS with bearer tokens, RBAC, Secrets and workloads that roll out.
import { randomBytes } from 'node:crypto';
import { parseAllDocuments } from 'yaml';
import type { Answer, Request, Surroundings } from '../http-server.ts';
import { serve } from '../http-server.ts';
import { mintServingCertificate } from '../tls.ts';
import { answerCall, type World } from './api.ts';
import { isAllowed, rulesOf } from './authorization.ts';
import { answerDiscovery } from './discovery.ts';
import { type KubernetesObject, kubernetesObject, ObjectStore } from './objects.ts';
import { answerOpenApi } from './openapi.ts';
import { type KeepsAnnotation, Operators } from './operators.ts';
import { listOwned } from './owned-objects.ts';
import { type ApiCall, readCall } from './requests.ts';
import { type RolloutOptions, Rollouts } from './rollouts.ts';
import { forbidden, NoSuchPath, StatusError, unauthorized } from './status.ts';

export interface KubernetesOptions extends RolloutOptions {
  /** Name in contexts and in the serving certificate. `kubernetes` if not given. */
  readonly name?: string;
  /** Users that have a token; what they may do is up to the roles bound to them. `['certrelay']` if not
   *  given. */
  readonly users?: readonly string[];
  /** The user of a token that is none of theirs, as an authentication webhook says; absent: nobody. */
  readonly authenticate?: (token: string) => string | undefined;
  /** Namespaces that are there from the start, beside `default`. */
  readonly namespaces?: readonly string[];
  /** YAML documents that are created at the start, such as infra/rbac.yaml. */
  readonly manifests?: string;
  /** The controllers' clock, in milliseconds; the machine's if not given. */
  readonly now?: () => number;
}

export interface SandboxKubernetes {
  /** URL of the API server, without a slash at the end. */
  readonly server: string;
  readonly caPem: string;
  /** Text of a kubeconfig with the token of one of `users`, or of `admin`, who may do everything. */
  kubeconfig(user: string): string;
  /** The bearer token of one of `users`, or of `admin`. */
  token(user: string): string;
  /** Gives the user another token; the one before is nobody's from now on. */
  exchangeToken(user: string): string;
  /** Creates an object as `kubectl create` would; YAML or JSON text, or the object itself. */
  create(manifest: string | object): void;
  /** Deletes an object as `kubectl delete` would: a namespace with what is in it. */
  remove(resource: string, namespace: string, name: string): void;
  /** Puts an object there as it stands, its managedFields and generation included, as a restored etcd
   *  would. */
  restore(object: object): void;
  /** Every object of a resource, in all namespaces. */
  list(resource: string): readonly KubernetesObject[];
  /** Pods or ReplicaSets that controllers have made, in all namespaces. */
  owned(resource: 'pods' | 'replicasets'): readonly KubernetesObject[];
  /** An object as stored; `undefined` where there is none. `resource` is the plural: `secrets`. */
  find(resource: string, namespace: string, name: string): KubernetesObject | undefined;
  /** Gives a workload an operator: after each change it makes the pod template again what it is now.
   *  `resource` is the plural.
   *  @param keeps Which annotations of others it leaves. */
  operate(resource: string, namespace: string, name: string, keeps: KeepsAnnotation): void;
  /** TLS connections accepted so far. */
  connections(): number;
  stop(): Promise<void>;
}

const admin = 'admin';
const everything = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];

export async function startKubernetes(
  options: KubernetesOptions,
  surroundings: Surroundings,
): Promise<SandboxKubernetes> {
  const { name = 'kubernetes', users = ['certrelay'], namespaces = [], now = Date.now } = options;
  const tls = await mintServingCertificate(name);
  const makeToken = () => randomBytes(16).toString('hex');
  const tokens = new Map([admin, ...users].map((user) => [user, makeToken()]));
  const tokenOf = (user: string): string => {
    const token = tokens.get(user);
    if (token === undefined) throw new Error(`no token was made for the user ${user}`);
    return token;
  };
  const userOf = ({ headers }: Request) => {
    const [, bearer] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
    if (bearer === undefined) return undefined;
    return [...tokens].find(([, token]) => token === bearer)?.[0] ?? options.authenticate?.(bearer);
  };
  const objects = new ObjectStore();
  const rollouts = new Rollouts(options);
  const operators = new Operators();
  const clock = () => new Date(now());

  const worldOf = (user: string): World => ({
    user,
    objects,
    rollouts,
    operators,
    now: clock,
    authorize({ kind, verb, namespace, name: object }) {
      const access = { user, verb, namespace, group: kind.group, resource: kind.resource, name: object };
      if (kind.knownBy === 'question') return;
      if (user !== admin && !isAllowed(objects, access)) throw forbidden(kind, user, verb, namespace, object);
    },
    rulesIn: (namespace) => (user === admin ? everything : rulesOf(objects, { user, namespace })),
  });

  function handle(request: Request): Answer {
    try {
      const user = userOf(request);
      if (user === undefined) throw unauthorized();
      const kinds = objects.kinds();
      const discovered = answerDiscovery(request, kinds) ?? answerOpenApi(request, kinds);
      if (discovered) return discovered;
      const call = readCall(request, objects.kinds());
      const world = worldOf(user);
      world.authorize(call);
      if (call.kind.knownBy === 'nobody') throw new NoSuchPath();
      return answerCall(call, request, world);
    } catch (error) {
      if (error instanceof StatusError) return refusal(error);
      throw error;
    }
  }

  function restore(given: object): void {
    const object = kubernetesObject.parse(given);
    const kind = objects.kinds().find((known) => known.kind === object.kind);
    if (!kind) throw new Error(`the sandbox has no ${object.kind}`);
    objects.restore(kind, object.metadata.namespace ?? '', object, clock());
  }

  function create(manifest: string | object): void {
    const documents =
      typeof manifest === 'string'
        ? parseAllDocuments(manifest).map((document) => document.toJS())
        : [manifest];
    for (const document of documents) {
      const object = kubernetesObject.parse(document);
      const kind = objects.kinds().find((known) => known.kind === object.kind);
      if (!kind) throw new Error(`the sandbox has no ${object.kind}`);
      const namespace = kind.namespaced ? (object.metadata.namespace ?? 'default') : '';
      const call: ApiCall = { kind, verb: 'create', namespace, name: '' };
      const request: Request = {
        method: 'POST',
        url: new URL('http://sandbox/?fieldManager=kubectl-create'),
        headers: {},
        body: Buffer.from(JSON.stringify(object)),
      };
      answerCall(call, request, worldOf(admin));
    }
  }

  for (const namespace of ['default', ...namespaces]) {
    create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  }
  if (options.manifests !== undefined) create(options.manifests);
  const server = await serve(
    {
      service: 'kubernetes',
      describe: (request) => {
        const call = tryReadCall(request);
        if (!call || call.kind.knownBy === 'nobody') return undefined;
        const resource = request.url.pathname;
        return {
          action: `${call.verb} ${call.kind.resource}`,
          resource,
          principal: userOf(request) ?? 'unknown',
        };
      },
      handle,
      refuse: (code, status, message) => refusal(new StatusError(status, code, message)),
    },
    surroundings,
    { cert: tls.cert, key: tls.key },
  );
  function tryReadCall(request: Request): ApiCall | undefined {
    try {
      return readCall(request, objects.kinds());
    } catch {
      return undefined;
    }
  }

  return {
    server: server.url,
    caPem: tls.ca,
    kubeconfig: (user) => describeAccess(name, server.url, tls.ca, user, tokenOf(user)),
    token: tokenOf,
    exchangeToken: (user) => {
      tokens.set(user, makeToken());
      return tokenOf(user);
    },
    create,
    remove(resource, namespace, object) {
      const kind = objects.kinds().find((known) => known.resource === resource);
      if (!kind) throw new Error(`the sandbox has no ${resource}`);
      const call: ApiCall = { kind, verb: 'delete', namespace, name: object };
      const url = new URL('http://sandbox/');
      answerCall(call, { method: 'DELETE', url, headers: {}, body: Buffer.alloc(0) }, worldOf(admin));
    },
    restore,
    list: (resource) => objects.list(resource, ''),
    owned(resource) {
      const kind = objects.kinds().find((known) => known.resource === resource);
      return kind ? listOwned(kind, '', { objects, rollouts, now: clock }) : [];
    },
    find: (resource, namespace, object) => objects.find(resource, namespace, object),
    operate(resource, namespace, object, keeps) {
      const found = objects.find(resource, namespace, object);
      if (!found) throw new Error(`there is no ${resource} ${object}`);
      operators.add(found, keeps);
    },
    connections: () => server.connections(),
    stop: () => server.stop(),
  };
}

function refusal(error: StatusError): Answer {
  if (error instanceof NoSuchPath) {
    return {
      status: 404,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: `${error.message}\n`,
    };
  }
  return { status: error.status, headers: { 'content-type': 'application/json' }, body: error.body };
}

function describeAccess(name: string, server: string, ca: string, user: string, token: string): string {
  return `apiVersion: v1
kind: Config
current-context: ${name}
clusters:
  - name: ${name}
    cluster:
      server: ${server}
      certificate-authority-data: ${Buffer.from(ca).toString('base64')}
users:
  - name: ${user}
    user: { token: ${token} }
contexts:
  - name: ${name}
    context: { cluster: ${name}, user: ${user} }
`;
}
