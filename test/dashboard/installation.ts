// Installations to look at: a few certificates in different states, and very many.
import { targetOf } from '../minting/targets.ts';
import { at, dayMs, StatusLab } from '../status/harness.ts';

/** The longest name of a certificate, and of a host. */
export const longName = `customer-${'x'.repeat(54)}`;
export const longHost = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.example.com`;

/** Five certificates: one that has ended, one that cannot be ordered, a paused one, one that nothing allows
 *  any more, and one that is fine. */
export function makeFew(): StatusLab {
  const lab = new StatusLab();
  lab.keep('shop', {}, { domains: ['shop.example.com', 'www.shop.example.com', 'api.shop.example.com'] });
  lab.keep(
    'legacy',
    { notBefore: at(-92 * dayMs), notAfter: at(-2 * dayMs) },
    { targets: [targetOf({ secret: 'legacy-tls' })] },
  );
  lab.keep('mail', { pausedSince: at(-3 * dayMs), pauseReason: 'moving to another zone, back on Monday' });
  const words =
    'no hosted zone of this account serves payments.example.net: delegate it, or take the name out';
  lab.keep('payments', {
    notBefore: at(-70 * dayMs),
    notAfter: at(20 * dayMs),
    problem: { since: at(-2 * dayMs), code: 'PreflightFailed', words },
    failures: 4,
    error: 'PreflightFailed',
    nextAttempt: at(dayMs / 4),
  });
  lab.stored(longName, { source: 'registration', domains: [longHost, `*.${longHost}`, 'shop.example.org'] });
  const trouble = { since: at(-dayMs), code: 'Unreachable', words: 'connect ECONNREFUSED 10.0.0.7:6443' };
  lab.operations = { ...lab.operations, clusters: { lab: trouble } };
  return lab;
}

/** Very many certificates, of which each hundredth has ended and each fiftieth is paused. */
export function makeMany(count: number): StatusLab {
  const lab = new StatusLab();
  for (let index = 0; index < count; index += 1) {
    const name = `customer-${String(index).padStart(5, '0')}`;
    const begun = index % 60;
    const life = { notBefore: at(-begun * dayMs), notAfter: at((90 - begun) * dayMs) };
    const ended = { notBefore: at(-91 * dayMs - index), notAfter: at(-dayMs - index) };
    const paused = index % 50 === 1 ? { pausedSince: at(-dayMs), pauseReason: 'not paid' } : {};
    lab.keep(name, index % 100 === 0 ? ended : { ...life, ...paused }, {
      targets: [targetOf({ secret: `${name}-tls` })],
    });
  }
  return lab;
}
