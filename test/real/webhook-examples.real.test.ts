// The examples of docs/webhook.md with curl, openssl and Python, as a sender runs them.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type ExampleLanguage, runExample } from '../webhook/examples.ts';

const secret = `whsec_${randomBytes(32).toString('base64')}`;

test.each<ExampleLanguage>(['bash', 'python'])('the example in %s registers a domain', async (language) => {
  const { printed, registered } = await runExample(language, { sender: secret, stored: [secret] });
  expect(JSON.parse(printed)).toMatchObject({ name: 'customer', status: 'ordering' });
  expect(registered).toEqual([{ domains: ['one.customers.example.com'], name: 'customer' }]);
});

test.each<ExampleLanguage>([
  'bash',
  'python',
])('the example in %s prints why it is refused', async (language) => {
  const { printed, registered } = await runExample(language, { sender: secret, stored: [`${secret}x`] });
  expect(JSON.parse(printed)).toMatchObject({ message: expect.any(String) });
  expect(registered).toEqual([]);
});
