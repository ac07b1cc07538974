import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planCertificates } from '../../lib/policy/issuance/plan.ts';
import { actual, afterDays, desired, nows, situations } from './situations.ts';

test('the most urgent stand first: no certificate, then the next to expire, then by name', () => {
  const plan = planCertificates(
    [
      { name: 'late', situation: { desired, actual: { ...actual, notAfter: afterDays(200) } } },
      { name: 'b', situation: { desired, actual } },
      { name: 'a', situation: { desired, actual } },
      { name: 'due', situation: { desired, actual: { ...actual, notAfter: afterDays(31) } } },
      { name: 'new', situation: { desired, actual: { kind: 'nothing' } } },
    ],
    afterDays(30),
  );
  expect(plan.map(({ name, plan: { reason } }) => `${name} ${reason}`)).toEqual([
    'new Missing',
    'due RenewalDue',
    'a Current',
    'b Current',
    'late Current',
  ]);
});

test('an entry is printable data with instants in UTC', () => {
  const plan = planCertificates([{ name: 'shop', situation: { desired, actual } }], afterDays(30));
  expect(JSON.parse(JSON.stringify(plan.map((planned) => planned.plan)))).toEqual([
    {
      name: 'shop',
      decision: 'keep',
      reason: 'Current',
      message: expect.any(String),
      renewsAt: '2026-03-02T00:00:00.000Z',
    },
  ]);
});

test('each certificate gets exactly one decision, the same for every order of the input', () => {
  const inputs = fc.uniqueArray(
    fc.record({ name: fc.stringMatching(/^[a-z0-9]{1,8}$/), situation: situations }),
    {
      selector: ({ name }) => name,
    },
  );
  fc.assert(
    fc.property(inputs, nows, (some, now) => {
      const plan = planCertificates(some, now);
      expect(plan.map(({ name }) => name).sort()).toEqual(some.map(({ name }) => name).sort());
      expect(planCertificates(some.toReversed(), now)).toEqual(plan);
    }),
  );
});
