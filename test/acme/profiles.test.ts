// Profiles (draft-ietf-acme-profiles): what the CA makes of the one that it was asked for.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Authorities } from '../../lib/adapters/acme/accounts.ts';
import { FakeLog } from '../fakes/log.ts';
import { answer, directoryAt, orderAt, type ScriptedCa, startScriptedCa } from '../fakes/scripted-ca.ts';
import { signal } from './harness.ts';
import { openScripted } from './scripted-harness.ts';

let ca: ScriptedCa;
let log: FakeLog;
let authorities: Authorities;

beforeEach(async () => {
  ca = await startScriptedCa();
  log = new FakeLog();
  authorities = openScripted(ca, { log });
  const profiles = { classic: 'the usual', short: 'six days' };
  ca.routes.set('/directory', (response) =>
    answer(response, 200, { ...directoryAt(ca.base), meta: { profiles } }),
  );
});
afterEach(async () => {
  await authorities.close();
  await ca.stop();
});

/** Orders, and gives the warnings of all orders so far. */
async function order(profile: string | undefined, given: unknown) {
  ca.routes.set('/order', (response) =>
    answer(response, 201, { ...orderAt(ca.base), profile: given }, { location: '/order/1' }),
  );
  const authority = await authorities.connect('default', signal);
  const made = await authority.newOrder({ domains: ['a.example.com'], profile }, signal);
  return { made, warnings: log.lines.filter(({ event }) => event === 'other profile given') };
}

it('another one than was asked is warned of, once', async () => {
  const { made, warnings } = await order('short', 'classic');
  expect(made.profile).toBe('classic');
  expect(warnings.map(({ level, fields }) => [level, fields.problem])).toEqual([
    ['warn', 'the CA was asked for the profile "short" and orders under "classic"'],
  ]);
  expect((await order('short', 'classic')).warnings).toHaveLength(1);
  expect((await order('classic', 'short')).warnings).toHaveLength(2);
});

it.each([
  ['the one that was asked', 'short', 'short'],
  ['none', 'short', undefined],
  ['null', 'short', null],
  ['what is no profile', 'short', 7],
  ['one of its own, where none was asked', undefined, 'classic'],
])('%s is no reason for a warning', async (_, profile, given) => {
  expect((await order(profile, given)).warnings).toEqual([]);
});
