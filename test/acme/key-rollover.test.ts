// An account's next key: kept first, asked for, then used; and whatever happens in between, one key still
// works.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bench, failure, signal } from './harness.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.start();
});
afterEach(() => bench.stop());

const kept = () => bench.accounts.kept.get(bench.ca.directory);
const roll = () => bench.open().rollAccountKey('default', signal);
const domains = ['a.example.com'];

it('gives the account a new key, with which the next run issues; the account stays', async () => {
  await bench.connect();
  const before = kept();
  await roll();
  expect(kept()?.key).not.toBe(before?.key);
  expect(kept()).toEqual({ ...before, key: kept()?.key });
  const { chain } = await bench.issue(await bench.connect(), domains);
  expect(chain).toContain('BEGIN CERTIFICATE');
  expect(bench.ca.accounts()).toBe(1);
});

it('is used at once by a connection of the same run that is asked for afterwards', async () => {
  const run = bench.open();
  const before = await run.connect('default', signal);
  await run.rollAccountKey('default', signal);
  const after = await run.connect('default', signal);
  expect((await failure(before.newOrder({ domains }, signal))).problem?.type).toBe('malformed');
  expect((await after.newOrder({ domains }, signal)).status).toBe('pending');
});

describe('an exchange that is cut off', () => {
  /** Cuts the run off at one of its writes to the store. */
  function cutAtUpdate(number: number): void {
    const { update } = bench.accounts;
    let updates = 0;
    bench.accounts.update = async (...written) => {
      updates += 1;
      if (updates === number) {
        bench.accounts.update = update;
        throw new Error('killed');
      }
      return update(...written);
    };
  }

  const cuts: readonly (readonly [string, () => void, boolean])[] = [
    ['before the new key is kept', () => cutAtUpdate(1), false],
    [
      'after the new key is kept and before the CA is asked',
      () => bench.faults.set('acme', 'keyChange', { kind: 'drop' }),
      true,
    ],
    ['after the CA was asked and before its answer', () => loseAnswer(), true],
    ['after the CA answered and before that is kept', () => cutAtUpdate(2), true],
  ];

  /** The change is carried out, and neither its answer nor what the CA knows of the new key comes back. */
  function loseAnswer(): void {
    bench.faults.set('acme', 'keyChange', { kind: 'lose' });
    let asked = 0;
    bench.journal.before(({ action }) => {
      if (action !== 'newAccount') return;
      asked += 1;
      if (asked === 1) bench.faults.set('acme', 'newAccount', { kind: 'drop' });
    });
  }

  it.each(cuts)('%s is ended by the next call, with the key it began with', async (_, cut, hasBegun) => {
    await bench.connect();
    const before = kept();
    cut();
    await expect(roll()).rejects.toThrow();
    const begun = kept();
    expect(begun?.key).toBe(before?.key);
    expect(begun?.nextKey !== undefined).toBe(hasBegun);
    await roll();
    const key = hasBegun ? begun?.nextKey : expect.not.stringMatching(before?.key ?? '');
    expect(kept()).toEqual({ ...before, key });
    await (await bench.connect()).newOrder({ domains }, signal);
    expect(bench.ca.accounts()).toBe(1);
  });

  it.each(cuts)('%s does not stop a run that issues', async (_, cut, hasBegun) => {
    await bench.connect();
    cut();
    await expect(roll()).rejects.toThrow();
    const begun = kept();
    expect((await (await bench.connect()).newOrder({ domains }, signal)).status).toBe('pending');
    expect(kept()?.key).toBe(hasBegun ? begun?.nextKey : begun?.key);
    expect(kept()?.nextKey).toBeUndefined();
    expect(bench.ca.accounts()).toBe(1);
  });

  it('only by a lost answer is ended in the same call', async () => {
    await bench.connect();
    bench.faults.set('acme', 'keyChange', { kind: 'lose' });
    await roll();
    expect(bench.journal.count({ action: 'keyChange' })).toBe(1);
    await (await bench.connect()).newOrder({ domains }, signal);
  });

  it('and whose account the CA then forgets goes on with the new key and a new account', async () => {
    await bench.connect();
    cutAtUpdate(2);
    await expect(roll()).rejects.toThrow('killed');
    const begun = kept();
    bench.ca.forgetAccounts();
    await (await bench.connect()).newOrder({ domains }, signal);
    expect(kept()?.key).toBe(begun?.nextKey);
    expect(kept()?.nextKey).toBeUndefined();
    expect(bench.ca.accounts()).toBe(1);
  });
});

describe('a key is not exchanged', () => {
  it('where there is no account yet', async () => {
    const error = await failure(roll());
    expect(error).toMatchObject({ code: 'Unsupported' });
    expect(error.message).toContain('there is no account at');
  });

  it('where the CA has closed the account: its words are repeated, and both keys are kept', async () => {
    await bench.connect();
    const before = kept();
    bench.ca.deactivateAccounts();
    expect((await failure(roll())).problem?.type).toBe('unauthorized');
    expect(kept()).toMatchObject({ ...before, nextKey: expect.stringContaining('PRIVATE KEY') });
  });
});
