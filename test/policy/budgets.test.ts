// Budgets: what the CA's limits leave for now, told by both sides of each boundary.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitsOf } from '../../lib/policy/issuance/published-limits.ts';
import {
  allocateBudgets,
  type OrderHistory,
  type OrderRequest,
} from '../../lib/policy/issuance/rate-limits.ts';

const directory = 'https://acme-v02.api.letsencrypt.org/directory';
const now = new Date('2026-11-22T10:00:00Z');
const hourMs = 3_600_000;

function request(name: string, change: Partial<OrderRequest> = {}): OrderRequest {
  const fresh = { replaces: false, renewal: false, urgent: true };
  return { name, directory, registeredDomains: ['example.com'], names: name, ...fresh, ...change };
}

function past(count: number, agoMs: number, change: Partial<OrderHistory> = {}): OrderHistory {
  const orders = Array.from({ length: count }, () => new Date(now.getTime() - agoMs));
  return { directory, registeredDomains: ['example.com'], names: 'past', orders, ...change };
}

const many = (count: number, change: (index: number) => Partial<OrderRequest> = () => ({})) =>
  Array.from({ length: count }, (_, index) => request(`c${index}`, change(index)));

describe('budgets', () => {
  it('let 50 certificates of a registered domain go, and make the 51st wait 202 minutes', () => {
    const short = allocateBudgets(many(51), [], limitsOf, now);
    expect([...short.keys()]).toEqual(['c50']);
    expect(short.get('c50')?.until).toEqual(new Date(now.getTime() + 202 * 60_000));
    expect(short.get('c50')?.message).toContain('certificates for example.com');
  });

  it('let 300 orders of an account go, each for a domain of its own', () => {
    const own = (index: number) => ({ registeredDomains: [`d${index}.com`] });
    expect([...allocateBudgets(many(301, own), [], limitsOf, now).keys()]).toEqual(['c300']);
  });

  it('let the exact set go five times, and again a token later', () => {
    const ask = (agoMs: number) =>
      allocateBudgets([request('x', { names: 'past' })], [past(5, agoMs)], limitsOf, now);
    expect(ask(34 * hourMs - 60_000).has('x')).toBe(true);
    expect(ask(34 * hourMs).has('x')).toBe(false);
  });

  it('count what was ordered before, by any certificate of the domain', () => {
    expect(allocateBudgets([request('x')], [past(49, 0)], limitsOf, now).size).toBe(0);
    expect(allocateBudgets([request('x')], [past(50, 0)], limitsOf, now).size).toBe(1);
  });

  it('keep a tenth for certificates that are urgent', () => {
    const calm = many(46, () => ({ urgent: false }));
    expect([...allocateBudgets(calm, [], limitsOf, now).keys()]).toEqual(['c45']);
    expect(allocateBudgets([...calm, request('late')], [], limitsOf, now).has('late')).toBe(false);
  });

  it('are not asked for a renewal inside its ARI window', () => {
    const spent = past(50, 0, { names: 'x' });
    expect(allocateBudgets([request('x', { replaces: true })], [spent], limitsOf, now).size).toBe(0);
  });

  it('ask a renewal of the same set for that set’s limit alone', () => {
    const spent = past(300, 0);
    expect(allocateBudgets([request('x', { renewal: true })], [spent], limitsOf, now).size).toBe(0);
    const same = past(5, 0, { names: 'x' });
    expect(allocateBudgets([request('x', { renewal: true })], [same], limitsOf, now).size).toBe(1);
  });

  it('are known for Let’s Encrypt alone: any other CA speaks for itself', () => {
    const other = many(500, () => ({ directory: 'https://ca.example/directory' }));
    expect(allocateBudgets(other, [], limitsOf, now).size).toBe(0);
  });

  it('never let more go than the burst allows, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(7 * 24 * hourMs), { maxLength: 80 }), fc.nat(120), (agos, desired) => {
        const orders = agos.map((ago) => new Date(now.getTime() - ago));
        const history = [{ directory, registeredDomains: ['example.com'], names: 'past', orders }];
        const granted = desired - allocateBudgets(many(desired), history, limitsOf, now).size;
        expect(granted).toBeLessThanOrEqual(50);
        expect(granted + agos.filter((ago) => ago === 0).length).toBeLessThanOrEqual(
          Math.max(50, agos.length),
        );
      }),
    );
  });
});
