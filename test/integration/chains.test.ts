// A CA that sends chains in any shape, and adds names: what it issued is stored in order, delivered and not
// ordered again.
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mintChain } from '../minting/certificates.ts';
import { prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const domain = 'shop.example.com';
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    namespaces: ['shop'],
    certificates: [
      {
        name: 'shop',
        domains: [domain],
        targets: [{ cluster: 'lab', namespace: 'shop', secret: 'shop-tls' }],
      },
    ],
  });
});
afterAll(() => sandbox.stop());

/** Each certificate of a PEM text. */
function split(text: string): readonly string[] {
  return text.split(/(?<=-----END CERTIFICATE-----\n)/).filter(Boolean);
}

function stored(): Record<string, unknown> {
  const secret = sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/shop`);
  return Object(JSON.parse(secret.versions.get(secret.labels.get('AWSCURRENT') ?? '')?.value.text ?? '{}'));
}

function delivered(): string {
  const secret = Object(sandbox.kubernetes.find('secrets', 'shop', 'shop-tls'));
  return Buffer.from(secret.data['tls.crt'], 'base64').toString();
}

it('a chain sent twice, backwards, with its roots and with strangers is stored and delivered as one path, with the names that were ordered', async () => {
  const { authority, lambda, queues, journal } = sandbox;
  const validity = { notBefore: new Date(0), notAfter: new Date(1e13) };
  const stranger = await mintChain({ domains: [domain], ...validity });
  authority.settings.bendChain = (certificates) => [
    ...split(stranger.chain),
    ...certificates.toReversed(),
    ...split(authority.roots()),
    ...certificates,
  ];
  authority.settings.addNames = (names) => names.map((name) => `www.${name}`);
  const { answer } = await lambda.invoke('issue', {});
  expect(answer).toMatchObject({ summary: { issued: 1 } });
  await queues.deploy.untilEmpty();

  const chain = split(String(stored()['tls.crt'])).map((text) => new X509Certificate(text));
  expect(chain[0]?.subjectAltName).toBe(`DNS:${domain}, DNS:www.${domain}`);
  expect(chain.length).toBeGreaterThan(2);
  for (const [index, one] of chain.entries()) {
    const issuer = chain[index + 1] ?? one;
    expect(one.checkIssued(issuer) && one.verify(issuer.publicKey)).toBe(true);
  }
  expect(split(authority.roots())).toContain(chain.at(-1)?.toString());
  expect(stored().requestedNames).toEqual([domain]);
  expect(delivered()).toBe(stored()['tls.crt']);

  const begun = journal.calls.length;
  for (let pass = 0; pass < 2; pass += 1) {
    const again = await lambda.invoke('issue', {});
    expect(again.answer).toMatchObject({ summary: { keep: 1 } });
    await lambda.invoke('deploy', {});
  }
  const later = journal.calls.slice(begun);
  expect(later.filter(({ service }) => service === 'acme')).toEqual([]);
  const written = later.filter(({ action }) => /^(PutSecretValue|patch|create|update|delete)$/.test(action));
  expect(written).toEqual([]);
});
