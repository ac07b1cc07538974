// A kubeconfig is input from outside: what it may say, and what is refused with what to do instead.
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { mintServingCertificate } from '../sandbox/tls.ts';

const { ca, cert, key } = await mintServingCertificate('test');
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
    ['no clusters', write({ more: { clusters: undefined } }), /clusters: /],
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
