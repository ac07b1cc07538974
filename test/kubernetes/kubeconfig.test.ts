// A kubeconfig is input from outside: what it may say, and what is refused with what to do instead.
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { mintServingCertificate } from '../sandbox/tls.ts';

const { ca, cert, key } = await mintServingCertificate('test');
const other = await mintServingCertificate('other');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const token = 'abcdef0123456789-secret';

function write({ cluster = {}, user = { token } as object, more = {} }): string {
  return stringify({
    'current-context': 'here',
    contexts: [
      { name: 'there', context: { cluster: 'absent', user: 'absent' } },
      { name: 'here', context: { cluster: 'c', user: 'u' } },
    ],
    clusters: [
      {
        name: 'c',
        cluster: { server: 'https://127.0.0.1:6443/', 'certificate-authority-data': base64(ca), ...cluster },
      },
    ],
    users: [{ name: 'u', user }],
    preferences: {},
    ...more,
  });
}

test('the current context gives server, authority and token', () => {
  expect(readKubeconfig('lab', write({}))).toMatchObject({ server: 'https://127.0.0.1:6443', ca, token });
});

test('JSON is read too, and so are a client certificate, a server name and a proxy', () => {
  const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
  const cluster = { 'tls-server-name': 'api.example', 'proxy-url': 'http://proxy:3128' };
  const json = JSON.stringify(parse(write({ user, cluster })));
  expect(readKubeconfig('lab', json)).toMatchObject({
    clientCertificate: { cert, key },
    serverName: 'api.example',
    proxy: 'http://proxy:3128',
    token: undefined,
  });
});

test('only the current context, its cluster and its user are judged', () => {
  const { contexts, clusters, users, ...rest } = parse(write({}));
  const source = stringify({
    ...rest,
    contexts: [null, 'text', { name: 'there', context: 5 }, { context: {} }, ...contexts],
    clusters: [{ name: 'z', cluster: { server: 5, 'insecure-skip-tls-verify': true } }, ...clusters],
    users: [{ name: 7 }, { name: 'a', user: { token: [], exec: { command: 'sh' } } }, ...users],
  });
  expect(readKubeconfig('lab', source)).toMatchObject({ server: 'https://127.0.0.1:6443', ca, token });
});

test('empty fields and null count as absent, and so does a key without its certificate', () => {
  const user = {
    token,
    exec: null,
    'auth-provider': null,
    tokenFile: '',
    'client-certificate': null,
    'client-certificate-data': '',
    'client-key-data': base64(key),
    username: null,
    as: '',
    'as-groups': [],
  };
  const cluster = {
    'certificate-authority': '',
    'insecure-skip-tls-verify': null,
    'tls-server-name': null,
    'proxy-url': '',
  };
  expect(readKubeconfig('lab', write({ user, cluster }))).toEqual({
    ...readKubeconfig('lab', write({})),
    clientCertificate: undefined,
  });
});

test('of entries with one name the first counts, of fields with one name the last', () => {
  const config = parse(write({}));
  const source = stringify({
    ...config,
    users: [...config.users, { name: 'u', user: { exec: { command: 'sh' } } }],
    clusters: [...config.clusters, { name: 'c', cluster: { server: 'https://second' } }],
  });
  expect(readKubeconfig('lab', source)).toMatchObject({ server: 'https://127.0.0.1:6443', token });
  const twice = `current-context: nowhere\n${write({})}`;
  expect(readKubeconfig('lab', twice)).toMatchObject({ token });
});

describe('is refused, with the field named', () => {
  const pair = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
  const cases: readonly [string, string, RegExp][] = [
    [
      'a program that signs in',
      write({ user: { exec: { command: 'aws', args: [] } } }),
      /user has "exec": it runs a program/,
    ],
    ['an auth provider', write({ user: { 'auth-provider': { name: 'gcp' } } }), /"auth-provider"/],
    ['a program beside a token', write({ user: { token, exec: { command: 'sh' } } }), /"exec"/],
    ['a token file', write({ user: { tokenFile: '/etc/shadow' } }), /"tokenFile": it names a file/],
    ['a certificate file', write({ user: { ...pair, 'client-certificate': '/x' } }), /"client-certificate"/],
    ['a key file', write({ user: { ...pair, 'client-key': '/x' } }), /"client-key"/],
    ['an authority file', write({ cluster: { 'certificate-authority': '/x' } }), /"certificate-authority"/],
    ['a password', write({ user: { username: 'a', password: 'b' } }), /"username"/],
    ['impersonation', write({ user: { token, as: 'admin' } }), /"as"/],
    [
      'W07 an unchecked server',
      write({ cluster: { 'insecure-skip-tls-verify': true } }),
      /"insecure-skip-tls-verify"/,
    ],
    ['plain HTTP', write({ cluster: { server: 'http://127.0.0.1' } }), /"server" must be an https URL/],
    [
      'a token with a line break',
      write({ user: { token: `${token}\nx` } }),
      /"token" contains a space, a line/,
    ],
    ['a token with a space', write({ user: { token: `${token} x` } }), /"token" contains a space/],
    ['a token beyond ASCII', write({ user: { token: `${token}é` } }), /"token" contains a space/],
    [
      'a password in the server',
      write({ cluster: { server: `https://user:${token}@host` } }),
      /"server" contains a user name or password: remove/,
    ],
    [
      'a user name in the server',
      write({ cluster: { server: `https://${token}@host` } }),
      /"server" contains/,
    ],
    [
      'a password in the proxy',
      write({ cluster: { 'proxy-url': `http://:${token}@proxy` } }),
      /"proxy-url" contains/,
    ],
    ['a SOCKS proxy', write({ cluster: { 'proxy-url': 'socks5://proxy' } }), /"proxy-url" must be an http/],
    [
      'a certificate without its key',
      write({ user: { 'client-certificate-data': base64(cert) } }),
      /needs both "client-certificate-data" and "client-key-data"/,
    ],
    ['no credentials', write({ user: {} }), /user "u" has neither "token"/],
    [
      'an authority that is none',
      write({ cluster: { 'certificate-authority-data': base64('x') } }),
      /not a PEM certificate/,
    ],
    [
      'a context that is absent',
      write({ more: { 'current-context': 'nowhere' } }),
      /no context named "nowhere"/,
    ],
    [
      'a cluster that is absent',
      write({ more: { 'current-context': 'there' } }),
      /no cluster named "absent"/,
    ],
    ['no clusters', write({ more: { clusters: undefined } }), /no cluster named "c"/],
    ['no users', write({ more: { users: null } }), /no user named "u"/],
    ['clusters that are no list', write({ more: { clusters: 'c' } }), /it, clusters: .*expected array/],
    ['no current context', write({ more: { 'current-context': '' } }), /no "current-context": set it with/],
    [
      'a context without a user',
      write({ more: { contexts: [{ name: 'here', context: { cluster: 'c' } }] } }),
      /context "here" names no user/,
    ],
    ['a server that is no text', write({ cluster: { server: 5 } }), /cluster "c", server: .*expected string/],
    ['no server', write({ cluster: { server: null } }), /"server" must be an https URL/],
    [
      'a key of another certificate',
      write({ user: { ...pair, 'client-key-data': base64(other.key) } }),
      /"client-key-data" is not the key of "client-certificate-data": copy both/,
    ],
    [
      'a key that is none',
      write({ user: { ...pair, 'client-key-data': base64(token) } }),
      /"client-key-data" is not a PEM private key without a passphrase/,
    ],
    [
      'a client certificate that is none',
      write({ user: { ...pair, 'client-certificate-data': base64(key) } }),
      /"client-certificate-data" is not a PEM certificate/,
    ],
    ['two documents', `${write({})}---\n${write({})}`, /more than one document/],
    ['no YAML', `token: ${token}\n\t- {`, /it is not YAML/],
    ['an alias', `a: &a [${token}]\nb: *a`, /it is not YAML/],
    ['empty text', '', /cannot be used/],
  ];
  test.for(cases)('%s', ([, source, message]) => {
    const read = () => readKubeconfig('lab', source);
    expect(read).toThrow(
      expect.objectContaining({ code: 'SignInFailed', message: expect.stringMatching(message) }),
    );
    expect(read).toThrow(/^the kubeconfig of cluster lab cannot be used: /);
    expect(read).not.toThrow(token);
  });
});
