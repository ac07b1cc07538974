// Whatever stands in events, AWS secrets and tags: it is read, or refused by a code, and a pass goes on.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { certificateTags } from '../../infra/template/tag-keys.ts';
import {
  readAccount,
  readValue,
  writeAccount,
  writeCertificate,
  writePending,
  writeSpecification,
} from '../../lib/adapters/secrets-manager/values.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { ConfigError } from '../../lib/ports/errors.ts';
import { parseImportEvent } from '../../lib/requests/import.ts';
import {
  parseDeployEvent,
  parseExportEvent,
  parseIssueEvent,
  parsePauseEvent,
  parseRevokeEvent,
} from '../../lib/requests/requests.ts';
import { decodeState, encodeState } from '../../lib/state/codec/tags.ts';
import { Harness, specOf } from '../issue/harness.ts';
import { anything, awkward, broken } from './corpus.ts';

const spec: StoredSpec = { ...specOf('shop', ['shop.example.com']), source: 'registration' };
const issuer = 'https://ca.example/directory';
const values = [
  writeCertificate({ chain: 'the chain', key: 'the key', issuer, spec }),
  writePending({
    key: 'the key',
    keyType: 'ecdsa-p256',
    issuer,
    domains: spec.domains,
    run: 'run-1',
    deadline: new Date('2026-11-22T10:00:00Z'),
    spec,
  }),
  writeSpecification(spec),
  writeAccount(issuer, { key: 'the key', url: 'https://ca.example/acct/1', contact: [] }),
];
const storedText = fc.oneof(
  fc.constantFrom(...values).chain((text) => broken(JSON.parse(text)).map((value) => JSON.stringify(value))),
  fc.constantFrom(...awkward.map((value) => String(value))),
  fc.string({ unit: 'binary' }),
);

const sqs = {
  Records: [{ messageId: '1', eventSource: 'aws:sqs', body: '{"certificates":["shop"]}' }],
};
const events = [
  { certificates: ['shop'], force: true, dryRun: false, fruitless: 1 },
  { certificates: ['shop'], targets: ['prod/shop/tls'], dryRun: true },
  { certificate: 'shop', reason: 'superseded', version: 'previous' },
  { certificates: ['shop'], format: 'pem', key: true },
  { account: { issuer: 'default', secret: 'certrelay/import/account' } },
  { certificates: ['shop'], reason: 'the zone moves' },
  sqs,
  {
    source: 'aws.secretsmanager',
    'detail-type': 'Secret Label Updated',
    detail: { name: 'x', labelUpdated: 'y' },
  },
];
const parsers: Readonly<Record<string, (event: unknown) => unknown>> = {
  issue: parseIssueEvent,
  deploy: (event) => parseDeployEvent(event, 'certrelay'),
  import: parseImportEvent,
  export: parseExportEvent,
  revoke: parseRevokeEvent,
  pause: parsePauseEvent,
};

test.each(Object.keys(parsers))('%s takes an event or refuses it as such', (name) => {
  fc.assert(
    fc.property(fc.oneof(anything, fc.constantFrom(...events).chain(broken)), (event) => {
      try {
        parsers[name]?.(event);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        expect(error).toMatchObject({ code: 'Event' });
      }
    }),
    { numRuns: 300 },
  );
  expect(Object('')).not.toHaveProperty('polluted');
});

test('a stored value is read or told to be none of ours, and no key is quoted', () => {
  fc.assert(
    fc.property(storedText, (text) => {
      const value = readValue(text);
      if (value.kind === 'unparsable') expect(value.problem).not.toContain('the key');
      expect(['certificate', 'pending', 'specification', 'unparsable']).toContain(value.kind);
      const account = readAccount(text);
      if (account) expect(typeof account.key).toBe('string');
    }),
    { numRuns: 500 },
  );
});

test('a pass over an AWS secret that holds anything at all ends with a word on it, and orders the others', async () => {
  const tags = fc.dictionary(
    fc.constantFrom(...Object.keys(certificateTags), 'order.1', 'txt.1').map((key) => `certrelay:${key}`),
    fc.oneof(
      fc.constantFrom(...awkward.map((value) => String(value).slice(0, 256))),
      fc.string({ maxLength: 60 }),
      fc.constantFrom(...Object.values(encodeState({ notAfter: new Date(), failures: 3, revoked: ['v'] }))),
    ),
  );
  const label = fc.constantFrom('AWSCURRENT', 'AWSPENDING');
  await fc.assert(
    fc.asyncProperty(tags, storedText, label, async (kept, text, stage) => {
      const harness = new Harness([
        specOf('shop', ['shop.example.com']),
        specOf('blog', ['blog.example.com']),
      ]);
      await harness.store.create('shop', undefined);
      const shop = harness.store.kept.get('shop');
      if (!shop) throw new Error('nothing was made');
      shop.state = decodeState(new Map(Object.entries(kept)));
      shop.versions.set('odd', readValue(text));
      shop.stages.set(stage as 'AWSCURRENT', 'odd');
      const { report } = await harness.run();
      const blog = report.certificates.find(({ name }) => name === 'blog');
      expect(blog).toMatchObject({ outcome: 'issued' });
      const line = report.certificates.find(({ name }) => name === 'shop');
      expect(line?.message).toMatch(/\S/);
    }),
    { numRuns: 25 },
  );
});
