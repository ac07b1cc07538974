// Account keys that are kept: those that requests can be signed with are read, others end in a sentence and
// never in a wait.
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { readAccountKey } from '../../lib/adapters/acme/account-key.ts';
import { Transport } from '../../lib/adapters/acme/transport.ts';
import { AcmeError } from '../../lib/ports/acme.ts';
import { FakeClock } from '../fakes/clock.ts';
import { type ScriptedCa, startScriptedCa } from '../fakes/scripted-ca.ts';
import { signal } from './harness.ts';

const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
const curve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;

describe('an account key', () => {
  it.each([
    ['P-256', curve('P-256')],
    ['P-384', curve('P-384')],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ])('of type %s is read', (_, key) => {
    expect(readAccountKey(key.export(pkcs8).toString()).equals(key)).toBe(true);
  });

  it.each([
    ['ed25519', ed25519],
    ['secp521r1', curve('P-521')],
    ['secp256k1', curve('secp256k1')],
    ['x25519', generateKeyPairSync('x25519').privateKey],
    ['rsa-pss', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey],
  ])('of type %s is refused with what to do', (type, key) => {
    const read = () => readAccountKey(key.export(pkcs8).toString());
    expect(read).toThrow(AcmeError);
    expect(read).toThrow(`is of type ${type}, which cannot sign requests: import a P-256, P-384 or`);
  });
});

describe('a request that cannot be signed', () => {
  let ca: ScriptedCa;
  let transport: Transport;
  afterEach(async () => {
    await transport.close();
    await ca.stop();
  });

  it('fails at once, and those behind it are sent', async () => {
    ca = await startScriptedCa();
    const clock = new FakeClock('2026-11-22T10:00:00Z');
    transport = new Transport(ca.directory, { clock, ca: ca.caPem });
    const post = (key = curve('P-256')) =>
      transport.post(`${ca.base}/order/1`, undefined, { signer: transport.signer(key) }, signal);
    const [unsigned, sent] = await Promise.allSettled([post(ed25519), post()]);
    expect(unsigned.status).toBe('rejected');
    expect(sent).toMatchObject({ status: 'fulfilled', value: { status: 200 } });
  });
});
