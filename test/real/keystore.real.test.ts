// Java reads the keystores that the format pkcs12 holds.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { writeKeystore } from '../../lib/certificate/pkcs12.ts';
import { mintChain } from '../minting/certificates.ts';

if (hasJava())
  test.for(['ecdsa-p256', 'rsa-2048'] as const)('Java finds the key of %s and its whole chain', readAgain);
else test.todo("Java's keytool is not installed");

function hasJava(): boolean {
  try {
    execFileSync('keytool', ['-help'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function readAgain(keyType: 'ecdsa-p256' | 'rsa-2048'): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-keystore-'));
  const [notBefore, notAfter] = [new Date(Date.now() - 1000), new Date(Date.now() + 86_400_000)];
  const domains = ['shop.example.com'];
  const pair = await mintChain({ domains, notBefore, notAfter, keyType, intermediates: 2 });
  const file = join(folder, 'keystore.p12');
  await writeFile(file, writeKeystore(pair, 'geheim'));
  const args = ['-list', '-v', '-keystore', file, '-storepass', 'geheim'];
  const { stdout } = await promisify(execFile)('keytool', args);
  expect(stdout).toMatch(
    /Alias name: certificate\n[\s\S]*PrivateKeyEntry[\s\S]*Certificate chain length: 3\n/,
  );
  await rm(folder, { recursive: true, force: true });
}
