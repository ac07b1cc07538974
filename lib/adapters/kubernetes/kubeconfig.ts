// Reads a kubeconfig as client-go does. It is input from outside, so it may neither run a program nor read a
// file.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { CORE_SCHEMA, load } from 'js-yaml';
import * as z from 'zod';
import { oneLine } from '../../policy/bounds.ts';
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

/** Text. Empty and `null` are absent, as in client-go. */
const text = z
  .string()
  .nullish()
  .transform((value) => value || undefined);
const list = z
  .array(z.unknown())
  .nullish()
  .transform((entries) => entries ?? []);
const kubeconfig = z.object({ 'current-context': text, contexts: list, clusters: list, users: list });

/** What an entry of each list contains, by the name of its field. */
const contents = {
  context: z.looseObject({ cluster: text, user: text }),
  cluster: z.looseObject({
    server: text,
    'certificate-authority-data': text,
    'tls-server-name': text,
    'proxy-url': text,
  }),
  user: z.looseObject({ token: text, 'client-certificate-data': text, 'client-key-data': text }),
};
type EntryKind = keyof typeof contents;
type Entry<K extends EntryKind> = z.infer<(typeof contents)[K]>;

/** Makes the error that a kubeconfig cannot be used. */
type Problem = (message: string) => ClusterError;

/** The access in the current context of a kubeconfig, given as YAML or JSON text. Only that context, its
 *  cluster and its user are judged. Of entries with the same name the first counts: client-go refuses them
 *  in one file, and of several files it takes the first. Only inline credentials are accepted. `name`: the
 *  cluster in the inventory, for messages.
 *  @throws ClusterError `SignInFailed`; the message says which field to change and quotes no credential. */
export function readKubeconfig(
  name: string,
  source: string,
): ClusterAccess & { readonly token?: string | undefined } {
  const problem: Problem = (message) =>
    new ClusterError('SignInFailed', `the kubeconfig of cluster ${name} cannot be used: ${message}`);
  const config = parse(kubeconfig, parseYaml(source, problem), 'it', problem);
  const current = config['current-context'];
  if (current === undefined) {
    throw problem('it has no "current-context": set it with "kubectl config use-context <name>"');
  }
  const context = find('context', config.contexts, current, problem);
  const { cluster: clusterName, user: userName } = context;
  if (clusterName === undefined || userName === undefined) {
    const field = clusterName === undefined ? 'cluster' : 'user';
    throw problem(`context "${quote(current)}" names no ${field}`);
  }
  const cluster = find('cluster', config.clusters, clusterName, problem);
  const user = find('user', config.users, userName, problem);
  refuse('cluster', cluster, problem);
  refuse('user', user, problem);
  return {
    ...readServer(cluster, problem),
    ...readCredentials(userName, user, problem),
    origin: 'the kubeconfig',
    onRefusal: 'the credentials of the kubeconfig are wrong or have expired; put fresh ones in its place',
  };
}

function parseYaml(source: string, problem: Problem): unknown {
  if (source.trim() === '') throw problem('it is empty');
  try {
    // A small file with aliases can become huge, and a kubeconfig needs none. Of equal keys the last counts.
    return load(source, { schema: CORE_SCHEMA, maxAliases: 0, json: true });
  } catch {
    // The parser's message quotes a line, which may contain a token.
    throw problem('it is not YAML, has aliases (*name), or more than one document');
  }
}

/** Parses a value. The messages of the schemas name fields and types, never values. */
function parse<T>(schema: z.ZodType<T>, value: unknown, where: string, problem: Problem): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(
    (issue) => `${[where, ...issue.path].join(', ')}: ${oneLine(issue.message, 200)}`,
  );
  throw problem(issues.join('; '));
}

/** The content of the first entry with the name. Other entries may be anything. */
function find<K extends EntryKind>(
  kind: K,
  entries: readonly unknown[],
  name: string,
  problem: Problem,
): Entry<K> {
  const found = entries.find((entry) => isObject(entry) && entry.name === name);
  if (!isObject(found)) throw problem(`it has no ${kind} named "${quote(name)}"`);
  const schema: z.ZodType<unknown> = contents[kind];
  return parse(schema, found[kind] ?? {}, `${kind} "${quote(name)}"`, problem) as Entry<K>;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** A name of the kubeconfig in a message. */
function quote(name: string): string {
  return oneLine(name, 100);
}

/** Throws if the cluster or user in use has a field in `refused`. */
function refuse(
  part: keyof typeof refused,
  fields: Readonly<Record<string, unknown>>,
  problem: Problem,
): void {
  for (const [field, reason] of Object.entries(refused[part])) {
    const value = fields[field];
    const isAbsent = value === undefined || value === null || value === false || value === '';
    if (!isAbsent && !(Array.isArray(value) && value.length === 0)) {
      throw problem(`${part} has "${field}": ${reason}`);
    }
  }
}

function readServer(
  cluster: Entry<'cluster'>,
  problem: Problem,
): Pick<ClusterAccess, 'server' | 'ca' | 'serverName' | 'proxy'> {
  const { server = '', 'proxy-url': proxy } = cluster;
  if (URL.parse(server)?.protocol !== 'https:') throw problem('"server" must be an https URL');
  if (proxy !== undefined && !/^https?:$/.test(URL.parse(proxy)?.protocol ?? '')) {
    throw problem('"proxy-url" must be an http or https URL');
  }
  for (const [field, address] of Object.entries({ server, 'proxy-url': proxy })) {
    if (address !== undefined && hasCredentials(address)) {
      throw problem(`"${field}" contains a user name or password: remove the text before the @`);
    }
  }
  const ca = decode(cluster['certificate-authority-data']);
  if (ca !== undefined) readCertificate('certificate-authority-data', ca, problem);
  return {
    server: server.replace(/(?<!\/)\/+$/, ''),
    ca,
    serverName: cluster['tls-server-name'],
    proxy,
  };
}

function hasCredentials(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && (url.username !== '' || url.password !== '');
}

/** Token, client certificate or both. A key without its certificate is ignored, as client-go does. */
function readCredentials(
  name: string,
  user: Entry<'user'>,
  problem: Problem,
): Pick<ClusterAccess, 'clientCertificate'> & { readonly token: string | undefined } {
  const { token } = user;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    // The HTTP client's error about such a header would quote the token.
    throw problem(
      '"token" contains a space, a line break or another character that no token has: copy it again',
    );
  }
  const cert = decode(user['client-certificate-data']);
  const key = decode(user['client-key-data']);
  if (cert === undefined) {
    if (token !== undefined) return { token, clientCertificate: undefined };
    const fields = '"token" nor "client-certificate-data" with "client-key-data"';
    throw problem(`user "${quote(name)}" has neither ${fields}`);
  }
  if (key === undefined) {
    throw problem('it needs both "client-certificate-data" and "client-key-data", or neither');
  }
  checkPair(readCertificate('client-certificate-data', cert, problem), key, problem);
  return { token, clientCertificate: { cert, key } };
}

function checkPair(certificate: X509Certificate, key: string, problem: Problem): void {
  const privateKey = attempt(() => createPrivateKey(key));
  if (!privateKey) {
    throw problem('"client-key-data" is not a PEM private key without a passphrase, in base64');
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    const advice = 'copy both again, from the same kubeconfig';
    throw problem(`"client-key-data" is not the key of "client-certificate-data": ${advice}`);
  }
}

function readCertificate(field: string, pem: string, problem: Problem): X509Certificate {
  const certificate = attempt(() => new X509Certificate(pem));
  if (!certificate) throw problem(`"${field}" is not a PEM certificate in base64`);
  return certificate;
}

function decode(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8');
}

/** The result; `undefined` if the library rejects the text. Its error may quote bytes of a key. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
