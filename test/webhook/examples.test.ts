// The example of docs/webhook.md in JavaScript. Those in other languages need programs that are not npm's:
// test/real/webhook-examples.real.test.ts runs them.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { runExample } from './examples.ts';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

test('the example for Node registers a domain', async () => {
  const [other, secret] = [newSecret(), newSecret()];
  const { printed, registered } = await runExample('js', { sender: secret, stored: [other, secret] });
  expect(JSON.parse(printed)).toMatchObject({ name: 'customer', status: 'ordering' });
  expect(registered).toEqual([{ domains: ['one.customers.example.com'], name: 'customer' }]);
});

test('with another secret it registers nothing', async () => {
  const { printed, registered } = await runExample('js', { sender: newSecret(), stored: [newSecret()] });
  expect(printed).toContain('message');
  expect(registered).toEqual([]);
});
