// The circulation of nonces: one near a CA, several far away, none lost when a request fails.
import { describe, expect, it } from 'vitest';
import { Nonces } from '../../lib/adapters/acme/nonces.ts';

const near = 2;
const far = 80;
const never = new AbortController().signal;

describe('nonces', () => {
  it('fetches once and then hands on what answers bring', async () => {
    const nonces = new Nonces(() => 0);
    expect(await nonces.take(never)).toBeUndefined();
    nonces.give('n1', near);
    expect(await nonces.take(never)).toBe('n1');
  });

  it('makes requests near a CA wait for their turn instead of fetching more', async () => {
    const nonces = new Nonces(() => 0);
    expect(await nonces.take(never)).toBeUndefined();
    const waiting = [nonces.take(never), nonces.take(never)];
    nonces.give('n1', near);
    expect(await waiting[0]).toBe('n1');
    nonces.give('n2', near);
    expect(await waiting[1]).toBe('n2');
  });

  it('does not take a CA for far away by the first answers, which a process that has just started is slow to read', async () => {
    const nonces = new Nonces(() => 0);
    expect(await nonces.take(never)).toBeUndefined();
    const waiting = Array.from({ length: 40 }, () => nonces.take(never));
    for (let turn = 0; turn < 7; turn += 1) nonces.give(`n${turn}`, far);
    for (let turn = 7; turn < 40; turn += 1) nonces.give(`n${turn}`, near);
    expect(await Promise.all(waiting)).not.toContain(undefined);
  });

  it('fetches more for those who wait once every answer has taken long, up to sixteen', async () => {
    const nonces = new Nonces(() => 0);
    expect(await nonces.take(never)).toBeUndefined();
    const waiting = Array.from({ length: 40 }, () => nonces.take(never));
    for (let turn = 0; turn < 40; turn += 1) nonces.give(`n${turn}`, far);
    const got = await Promise.all(waiting);
    expect(got.filter((nonce) => nonce === undefined)).toHaveLength(15);
  });

  it('lets somebody else fetch where a request lost its nonce', async () => {
    const nonces = new Nonces(() => 0);
    expect(await nonces.take(never)).toBeUndefined();
    const waiting = nonces.take(never);
    nonces.discard();
    expect(await waiting).toBeUndefined();
    nonces.discard();
    expect(await nonces.take(never)).toBeUndefined();
  });

  it('lets whoever waits leave with the reason of the run, and the next nonce goes to who is left', async () => {
    const nonces = new Nonces(() => 0);
    const ending = new AbortController();
    expect(await nonces.take(never)).toBeUndefined();
    const [left, stayed] = [nonces.take(ending.signal), nonces.take(never)];
    ending.abort(new Error('the time of the run is over'));
    await expect(left).rejects.toThrow('the time of the run is over');
    await expect(nonces.take(ending.signal)).rejects.toThrow('the time of the run is over');
    nonces.give('n1', near);
    expect(await stayed).toBe('n1');
  });

  it('forgets a nonce after ten minutes', async () => {
    let now = 0;
    const nonces = new Nonces(() => now);
    await nonces.take(never);
    nonces.give('old', near);
    now = 10 * 60_000 - 1;
    expect(await nonces.take(never)).toBe('old');
    nonces.give('older', near);
    now = 20 * 60_000;
    expect(await nonces.take(never)).toBeUndefined();
  });
});
