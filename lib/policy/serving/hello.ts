// Decides how often and how a server is asked for its certificate: servers choose by what a client offers.
import { isCovered } from '../../certificate/names.ts';
import type { KeyType } from '../../certificate/spec.ts';
import type { ClientHello, ExpectedCertificate, HandshakeOutcome, KeyFamily } from './handshake.ts';

/** One handshake that was made. */
export interface HandshakeAttempt {
  readonly hello: ClientHello;
  readonly outcome: HandshakeOutcome;
}

type Leaf = Extract<HandshakeOutcome, { kind: 'leaf' }>;

/** As browsers offer it. Some proxies choose by it and end the handshakes of clients that offer none. */
const webProtocols = ['h2', 'http/1.1'];

/** What to offer in the next handshake with a server; `undefined` if its answers suffice. The first offers
 *  nothing special: what most clients are shown decides as far as possible.
 *  - A server that ends it at once is asked with ALPN.
 *  - A certificate of the other family is followed by asking for the right one; if the right one is unknown,
 *    for the other one.
 *  - The expected certificate is asked for again, by its family, until `handshakes` have shown it. */
export function nextHello(
  expected: ExpectedCertificate,
  attempts: readonly HandshakeAttempt[],
): ClientHello | undefined {
  const last = attempts.at(-1);
  if (!last) return {};
  const { hello, outcome } = last;
  if (outcome.kind === 'silent') {
    const isFirst = attempts.length === 1;
    return isFirst && outcome.isRefused ? { protocols: webProtocols } : undefined;
  }
  if (outcome.kind !== 'leaf') return undefined;
  if (isExpected(expected, outcome)) {
    const seen = attempts.filter((attempt) => isExpected(expected, attempt.outcome)).length;
    if (seen >= (expected.handshakes ?? 1)) return undefined;
    const own = familyOf(expected.keyType);
    return own ? { ...hello, keyFamily: own } : hello;
  }
  if (hello.keyFamily || attempts.some((attempt) => isExpected(expected, attempt.outcome))) return undefined;
  const keyFamily = wantedFamily(expected, outcome);
  return keyFamily && { ...hello, keyFamily };
}

/** The outcome by which the server is judged. `attempts`: at least one, in their order.
 *  - Once the expected certificate was shown, another one shown later counts against it.
 *  - A certificate of the right family counts, unless it is for other names and the first one was not.
 *  - Otherwise the first that was shown; the failure of a handshake counts only if none was shown. */
export function chooseOutcome(
  expected: ExpectedCertificate,
  name: string,
  attempts: readonly HandshakeAttempt[],
): HandshakeOutcome | undefined {
  const leaves = attempts.flatMap(({ hello, outcome }) =>
    outcome.kind === 'leaf' ? [{ hello, outcome }] : [],
  );
  const first = leaves[0];
  if (!first) return attempts[0]?.outcome;
  const found = leaves.findIndex(({ outcome }) => isExpected(expected, outcome));
  if (found >= 0) {
    const differing = leaves.slice(found).find(({ outcome }) => !isExpected(expected, outcome));
    return (differing ?? leaves[found])?.outcome;
  }
  const asked = expected.keyType && leaves.find(({ hello }) => hello.keyFamily);
  const isWorse = asked && isFor(name, first.outcome) && !isFor(name, asked.outcome);
  return asked && !isWorse ? asked.outcome : first.outcome;
}

/** Whether a leaf is the expected certificate. */
function isExpected({ fingerprint, previous }: ExpectedCertificate, outcome: HandshakeOutcome): boolean {
  return outcome.kind === 'leaf' && (outcome.fingerprint === fingerprint || outcome.fingerprint === previous);
}

function isFor(name: string, { names }: Leaf): boolean {
  return isCovered(name, names);
}

/** The family to ask for; `undefined` if asking would tell nothing new. */
function wantedFamily({ keyType }: ExpectedCertificate, shown: Leaf): KeyFamily | undefined {
  const shownFamily = familyOf(shown.keyType);
  if (keyType) return familyOf(keyType) === shownFamily ? undefined : familyOf(keyType);
  if (shownFamily === undefined) return undefined;
  return shownFamily === 'rsa' ? 'ecdsa' : 'rsa';
}

function familyOf(keyType: KeyType | undefined): KeyFamily | undefined {
  if (keyType === undefined) return undefined;
  return keyType.startsWith('rsa') ? 'rsa' : 'ecdsa';
}
