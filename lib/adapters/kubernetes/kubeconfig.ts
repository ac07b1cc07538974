// Reads a kubeconfig. It is input from outside, so it may neither run a program nor read a file.
import { X509Certificate } from 'node:crypto';
import { CORE_SCHEMA, load } from 'js-yaml';
import * as z from 'zod';
import { type ClusterAccess, ClusterError } from '../../ports/cluster.ts';

const file = 'it names a file; put the content inline (the field that ends in -data, or "token")';
const program = 'it runs a program or a sign-in of its own; use a token or a client certificate';

/** Fields that are refused, with the advice for each. To ignore them would open another connection than the
 *  author of the kubeconfig expects. */
const refused = {
  cluster: {
    'certificate-authority': file,
    'insecure-skip-tls-verify':
      'private keys are sent only to a server whose certificate was checked; set certificate-authority-data',
  },
  user: {
    exec: program,
    'auth-provider': program,
    tokenFile: file,
    'client-certificate': file,
    'client-key': file,
    username: 'Kubernetes has no passwords since 1.19; use a token',
    as: 'impersonation is not supported; give the user its own credentials',
  },
} as const;

const text = z.string().min(1);
const kubeconfig = z.object({
  'current-context': text,
  contexts: z.array(z.object({ name: text, context: z.object({ cluster: text, user: text }) })),
  clusters: z.array(
    z.object({
      name: text,
      cluster: z.looseObject({
        server: text,
        'certificate-authority-data': text.optional(),
        'tls-server-name': text.optional(),
        'proxy-url': text.optional(),
      }),
    }),
  ),
  users: z.array(
    z.object({
      name: text,
      user: z.looseObject({
        token: text.optional(),
        'client-certificate-data': text.optional(),
        'client-key-data': text.optional(),
      }),
    }),
  ),
});

/** The access in the current context of a kubeconfig, given as YAML or JSON text. Only inline credentials are
 *  accepted. `name`: the cluster in the inventory, for messages.
 *  @throws ClusterError `SignInFailed`; the message says which field to change and quotes no credential. */
export function readKubeconfig(
  name: string,
  source: string,
): ClusterAccess & { readonly token?: string | undefined } {
  const problem = (message: string) =>
    new ClusterError('SignInFailed', `the kubeconfig of cluster ${name} cannot be used: ${message}`);
  const parsed = kubeconfig.safeParse(parseYaml(source, problem));
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`);
    throw problem(issues.join('; '));
  }
  const config = parsed.data;
  const find = <T extends { readonly name: string }>(
    kind: string,
    list: readonly T[],
    entryName: string,
  ): T => {
    const found = list.find((entry) => entry.name === entryName);
    if (!found) throw problem(`it has no ${kind} named "${entryName}"`);
    return found;
  };
  const { context } = find('context', config.contexts, config['current-context']);
  const { cluster } = find('cluster', config.clusters, context.cluster);
  const { user } = find('user', config.users, context.user);
  refuse('cluster', cluster, problem);
  refuse('user', user, problem);

  const server = URL.parse(cluster.server);
  if (server?.protocol !== 'https:') throw problem('"server" must be an https URL');
  const proxy = cluster['proxy-url'];
  if (proxy !== undefined && !/^https?:$/.test(URL.parse(proxy)?.protocol ?? '')) {
    throw problem('"proxy-url" must be an http or https URL');
  }
  for (const [field, address] of Object.entries({ server: cluster.server, 'proxy-url': proxy })) {
    if (address !== undefined && hasCredentials(address)) {
      throw problem(`"${field}" contains a user name or password: remove the text before the @`);
    }
  }
  if (user.token !== undefined && !/^[\x21-\x7e]+$/.test(user.token)) {
    // The HTTP client's error about such a header would quote the token.
    throw problem(
      '"token" contains a space, a line break or another character that no token has: copy it again',
    );
  }
  const cert = decode(user['client-certificate-data']);
  const key = decode(user['client-key-data']);
  if ((cert === undefined) !== (key === undefined)) {
    throw problem('it needs both "client-certificate-data" and "client-key-data", or neither');
  }
  if (user.token === undefined && cert === undefined) {
    throw problem(
      `user "${context.user}" has neither "token" nor "client-certificate-data" with "client-key-data"`,
    );
  }
  const ca = decode(cluster['certificate-authority-data']);
  for (const [field, pem] of [
    ['certificate-authority-data', ca],
    ['client-certificate-data', cert],
  ] as const) {
    if (pem !== undefined && !isCertificate(pem))
      throw problem(`"${field}" is not a PEM certificate in base64`);
  }
  return {
    server: cluster.server.replace(/(?<!\/)\/+$/, ''),
    ca,
    serverName: cluster['tls-server-name'],
    proxy,
    token: user.token,
    clientCertificate: cert === undefined || key === undefined ? undefined : { cert, key },
    origin: 'the kubeconfig',
    onRefusal: 'the credentials of the kubeconfig are wrong or have expired; put fresh ones in its place',
  };
}

function parseYaml(source: string, problem: (message: string) => ClusterError): unknown {
  try {
    // A small file with aliases can become huge, and a kubeconfig needs none.
    return load(source, { schema: CORE_SCHEMA, maxAliases: 0 });
  } catch {
    // The parser's message quotes a line, which may contain a token.
    throw problem('it is not YAML');
  }
}

/** Throws if the cluster or user in use has a field in `refused`. */
function refuse(
  part: keyof typeof refused,
  fields: Readonly<Record<string, unknown>>,
  problem: (message: string) => ClusterError,
): void {
  for (const [field, reason] of Object.entries(refused[part])) {
    const value = fields[field];
    if (value !== undefined && value !== null && value !== false && value !== '') {
      throw problem(`${part} has "${field}": ${reason}`);
    }
  }
}

function hasCredentials(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && (url.username !== '' || url.password !== '');
}

function decode(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8');
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
