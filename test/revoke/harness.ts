// A certificate that was issued, over fakes, and a way to revoke it as the function does: ordering by the
// issuing story.
import type { CertificateSpec, IssuerSpec } from '../../lib/certificate/spec.ts';
import type { ProbeResult } from '../../lib/policy/serving/served.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { PutEvents } from '../../lib/ports/events.ts';
import type { ServedQuery } from '../../lib/ports/probe.ts';
import type { RevokeRequest } from '../../lib/requests/requests.ts';
import { revokeCertificate } from '../../lib/revoke/revoke.ts';
import { Harness, specOf } from '../issue/harness.ts';

const never = new AbortController().signal;

const isServed: ProbeResult = {
  name: 'shop.example.com',
  address: '203.0.113.7',
  served: 'served',
  message: 'serves the current certificate',
};

/** What a test wants otherwise, of the certificate `shop` and of its issuer. */
export interface Otherwise {
  readonly spec?: Partial<CertificateSpec>;
  readonly issuer?: Partial<IssuerSpec>;
  /** What is seen at one look, by the fingerprint that should be served; that it is served where absent. */
  readonly look?: (fingerprint: string) => readonly ProbeResult[];
  /** Takes events. */
  readonly putEvents?: PutEvents;
}

export async function open({ spec, issuer, look = () => [isServed], putEvents }: Otherwise = {}) {
  const harness = new Harness([{ ...specOf('shop', ['shop.example.com']), ...spec }], issuer);
  await harness.run();
  const { store, log, inventory } = harness;
  const clock: Clock = harness.clock;
  const questions: ServedQuery[] = [];
  const ports = {
    store,
    clock,
    log,
    putEvents,
    connect: async () => harness.ca,
    orderAnew: async (name: string) => {
      const { report, failures } = await harness.run({ certificates: [name], force: true });
      for (const failure of failures) throw failure;
      return report.certificates[0]?.message ?? '';
    },
    probeServed: async (query: ServedQuery) => {
      const { fingerprint } = query;
      questions.push(query);
      const results = look(fingerprint);
      return { served: results[0]?.served ?? 'unprobed', message: '', results } as const;
    },
  };
  const revoke = (request: Partial<RevokeRequest> = {}, signal: AbortSignal = never) => {
    const full: RevokeRequest = { certificate: 'shop', reason: 'superseded', replace: undefined, ...request };
    return revokeCertificate(full, ports, { inventory, signal, cleanUpSignal: never });
  };
  const chain = async () => (await harness.current('shop'))?.chain ?? '';
  return { harness, ports, revoke, chain, questions };
}
