// The circulation of nonces: one near a CA, several far away, none lost when a request fails.
import { describe, expect, it } from 'vitest';
import { Nonces } from '../../lib/acme/nonces.ts';

const near = 2;
const far = 80;

describe('nonces', () => {
  it('fetches once and then hands on what answers bring', async () => {
    const nonces = new Nonces(() => 0);
    expect(await nonces.take()).toBeUndefined();
    nonces.give('n1', near);
    expect(await nonces.take()).toBe('n1');
  });

  it('makes requests near a CA wait for their turn instead of fetching more', async () => {
    const nonces = new Nonces(() => 0);
    expect(await nonces.take()).toBeUndefined();
    const waiting = [nonces.take(), nonces.take()];
    nonces.give('n1', near);
    expect(await waiting[0]).toBe('n1');
    nonces.give('n2', near);
    expect(await waiting[1]).toBe('n2');
  });

  it('does not take a CA for far away by the first answers, which a process that has just started is slow to read', async () => {
    const nonces = new Nonces(() => 0);
    expect(await nonces.take()).toBeUndefined();
    const waiting = Array.from({ length: 40 }, () => nonces.take());
    for (let turn = 0; turn < 7; turn += 1) nonces.give(`n${turn}`, far);
    for (let turn = 7; turn < 40; turn += 1) nonces.give(`n${turn}`, near);
    expect(await Promise.all(waiting)).not.toContain(undefined);
  });

  it('fetches more for those who wait once every answer has taken long, up to sixteen', async () => {
    const nonces = new Nonces(() => 0);
    expect(await nonces.take()).toBeUndefined();
    const waiting = Array.from({ length: 40 }, () => nonces.take());
    for (let turn = 0; turn < 40; turn += 1) nonces.give(`n${turn}`, far);
    const got = await Promise.all(waiting);
    expect(got.filter((nonce) => nonce === undefined)).toHaveLength(15);
  });

  it('lets somebody else fetch where a request lost its nonce', async () => {
    const nonces = new Nonces(() => 0);
    expect(await nonces.take()).toBeUndefined();
    const waiting = nonces.take();
    nonces.discard();
    expect(await waiting).toBeUndefined();
    nonces.discard();
    expect(await nonces.take()).toBeUndefined();
  });

  it('forgets a nonce after ten minutes', async () => {
    let now = 0;
    const nonces = new Nonces(() => now);
    await nonces.take();
    nonces.give('old', near);
    now = 10 * 60_000 - 1;
    expect(await nonces.take()).toBe('old');
    nonces.give('older', near);
    now = 20 * 60_000;
    expect(await nonces.take()).toBeUndefined();
  });
});
