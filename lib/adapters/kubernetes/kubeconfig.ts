// Reads a kubeconfig as what it is here: input from outside, that must neither run a program nor read a file.
import { X509Certificate } from 'node:crypto';
import { parse } from 'yaml';
import * as z from 'zod';
import { type ClusterAccess, ClusterError } from '../../ports/cluster.ts';

const file = 'it names a file; put the content inline (the field that ends in -data, or "token")';
const program = 'it runs a program or a sign-in of its own; use a token or a client certificate';

/** Fields that are refused, and why: passed over, they would make a connection that the author did not mean. */
const refused = {
  cluster: {
    'certificate-authority': file,
    'insecure-skip-tls-verify':
      'private keys are not sent to a server nobody checked; give certificate-authority-data',
  },
  user: {
    exec: program,
    'auth-provider': program,
    tokenFile: file,
    'client-certificate': file,
    'client-key': file,
    username: 'Kubernetes knows no passwords since 1.19; use a token',
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

/** The current context of a kubeconfig (YAML or JSON). Only inline credentials are accepted.
 *  @throws ClusterError `SignInFailed`, saying which field to change; the message quotes no credential. */
export function readKubeconfig(
  name: string,
  source: string,
): ClusterAccess & { readonly token?: string | undefined } {
  const problem = (message: string) =>
    new ClusterError('SignInFailed', `the kubeconfig of cluster ${name} cannot be used: ${message}`);
  const parsed = kubeconfig.safeParse(parseYaml(source, problem));
  if (!parsed.success) {
    const places = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`);
    throw problem(places.join('; '));
  }
  const config = parsed.data;
  const find = <T extends { readonly name: string }>(kind: string, list: readonly T[], wanted: string): T => {
    const found = list.find((entry) => entry.name === wanted);
    if (!found) throw problem(`it has no ${kind} named "${wanted}"`);
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
      throw problem(`"${field}" holds a user name or password: take out what stands before the @`);
    }
  }
  if (user.token !== undefined && !/^[\x21-\x7e]+$/.test(user.token)) {
    // The HTTP client's own complaint about such a header repeats the whole of it.
    throw problem(
      '"token" holds a space, a line break or another character that no token has: copy it again',
    );
  }
  const cert = decode(user['client-certificate-data']);
  const key = decode(user['client-key-data']);
  if ((cert === undefined) !== (key === undefined)) {
    throw problem('"client-certificate-data" and "client-key-data" go together');
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
    // Aliases can blow a small file up; a kubeconfig has none.
    return parse(source, { maxAliasCount: 0, logLevel: 'error' });
  } catch {
    // The parser's own message quotes the line it stopped at, which may hold a token.
    throw problem('it is not YAML');
  }
}

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
