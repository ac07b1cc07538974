// Asks one server for its certificate, as often as it takes to see the one of the right kind.
import type { ProbeEndpoint } from '../certificate/spec.ts';
import type { ExpectedCertificate, HandshakeOutcome } from '../policy/serving/handshake.ts';
import { chooseOutcome, type HandshakeAttempt, nextHello } from '../policy/serving/hello.ts';
import type { ShakeHands } from '../ports/probe.ts';

/** Shakes hands with one address under one name, once if the first handshake shows the expected certificate,
 *  and returns the outcome that counts.
 *  @throws the signal's reason once the signal is aborted. */
export async function showCertificate(
  address: Required<ProbeEndpoint> & { readonly name: string },
  expected: ExpectedCertificate,
  shakeHands: ShakeHands,
  signal: AbortSignal,
): Promise<HandshakeOutcome> {
  const attempts: HandshakeAttempt[] = [];
  for (let hello = nextHello(expected, attempts); hello; hello = nextHello(expected, attempts)) {
    attempts.push({ hello, outcome: await shakeHands({ ...address, ...hello }, signal) });
  }
  return chooseOutcome(expected, address.name, attempts) ?? { kind: 'unprobed', problem: 'it was not asked' };
}
