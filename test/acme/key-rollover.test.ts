// An account's next key: kept first, asked for, then used; and whatever happens in between, one key still
// works.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure, Harness, signal } from './harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

const kept = () => harness.accounts.kept.get(harness.ca.directory);
const roll = () => harness.open().accountKeys.exchange('default', signal);
const domains = ['a.example.com'];

it('gives the account a new key, with which the next run issues; the account stays', async () => {
  await harness.connect();
  const before = kept();
  await roll();
  expect(kept()?.key).not.toBe(before?.key);
  expect(kept()).toEqual({ ...before, key: kept()?.key });
  const { chain } = await harness.issue(await harness.connect(), domains);
  expect(chain).toContain('BEGIN CERTIFICATE');
  expect(harness.ca.accounts()).toBe(1);
});

it('is used at once by a connection of the same run that is asked for afterwards', async () => {
  const run = harness.open();
  const before = await run.connect('default', signal);
  await run.accountKeys.exchange('default', signal);
  const after = await run.connect('default', signal);
  expect((await failure(before.newOrder({ domains }, signal))).problem?.type).toBe('malformed');
  expect((await after.newOrder({ domains }, signal)).status).toBe('pending');
});

describe('an exchange that is cut off', () => {
  /** Cuts the run off at one of its writes to the store. */
  function cutAtUpdate(number: number): void {
    const { update } = harness.accounts;
    let updates = 0;
    harness.accounts.update = async (...written) => {
      updates += 1;
      if (updates === number) {
        harness.accounts.update = update;
        throw new Error('killed');
      }
      return update(...written);
    };
  }

  const cuts: readonly (readonly [string, () => void, boolean])[] = [
    ['before the new key is kept', () => cutAtUpdate(1), false],
    [
      'after the new key is kept and before the CA is asked',
      () => harness.faults.set('acme', 'keyChange', { kind: 'drop' }),
      true,
    ],
    ['after the CA was asked and before its answer', () => loseAnswer(), true],
    ['after the CA answered and before that is kept', () => cutAtUpdate(2), true],
  ];

  /** The change is carried out, and neither its answer nor what the CA knows of the new key comes back. */
  function loseAnswer(): void {
    harness.faults.set('acme', 'keyChange', { kind: 'lose' });
    let asked = 0;
    harness.journal.before(({ action }) => {
      if (action !== 'newAccount') return;
      asked += 1;
      if (asked === 1) harness.faults.set('acme', 'newAccount', { kind: 'drop' });
    });
  }

  it.each(cuts)('%s is ended by the next call, with the key it began with', async (_, cut, hasBegun) => {
    await harness.connect();
    const before = kept();
    cut();
    await expect(roll()).rejects.toThrow();
    const begun = kept();
    expect(begun?.key).toBe(before?.key);
    expect(begun?.nextKey !== undefined).toBe(hasBegun);
    await roll();
    const key = hasBegun ? begun?.nextKey : expect.not.stringMatching(before?.key ?? '');
    expect(kept()).toEqual({ ...before, key });
    await (await harness.connect()).newOrder({ domains }, signal);
    expect(harness.ca.accounts()).toBe(1);
  });

  it.each(cuts)('%s does not stop a run that issues', async (_, cut, hasBegun) => {
    await harness.connect();
    cut();
    await expect(roll()).rejects.toThrow();
    const begun = kept();
    expect((await (await harness.connect()).newOrder({ domains }, signal)).status).toBe('pending');
    expect(kept()?.key).toBe(hasBegun ? begun?.nextKey : begun?.key);
    expect(kept()?.nextKey).toBeUndefined();
    expect(harness.ca.accounts()).toBe(1);
  });

  it('only by a lost answer is ended in the same call', async () => {
    await harness.connect();
    harness.faults.set('acme', 'keyChange', { kind: 'lose' });
    await roll();
    expect(harness.journal.count({ action: 'keyChange' })).toBe(1);
    await (await harness.connect()).newOrder({ domains }, signal);
  });

  it('and whose account the CA then forgets goes on with the new key and a new account', async () => {
    await harness.connect();
    cutAtUpdate(2);
    await expect(roll()).rejects.toThrow('killed');
    const begun = kept();
    harness.ca.forgetAccounts();
    await (await harness.connect()).newOrder({ domains }, signal);
    expect(kept()?.key).toBe(begun?.nextKey);
    expect(kept()?.nextKey).toBeUndefined();
    expect(harness.ca.accounts()).toBe(1);
  });
});

describe('a key is not exchanged', () => {
  it('where there is no account yet', async () => {
    const error = await failure(roll());
    expect(error).toMatchObject({ code: 'Unsupported' });
    expect(error.message).toContain('there is no account at');
  });

  it('where the CA has closed the account: its words are repeated, and both keys are kept', async () => {
    await harness.connect();
    const before = kept();
    harness.ca.deactivateAccounts();
    expect((await failure(roll())).problem?.type).toBe('unauthorized');
    expect(kept()).toMatchObject({ ...before, nextKey: expect.stringContaining('PRIVATE KEY') });
  });
});
