// moto keeps the contract of AWS Certificate Manager but for the promises named here, which AWS documents.
import { test } from 'vitest';
import { certificateManagerContract } from '../contracts/certificate-manager.ts';
import { locate } from './parts/locate.ts';
import { startMoto } from './parts/moto.ts';

const weaker: ReadonlySet<string> = new Set([
  'a tag is given with the first import, stays, and finds it among others of the same name',
  'types of keys other than RSA of 2048 bits are listed only where they are asked for',
  'an import over an ARN takes no tags',
  'the type of the key stays under an ARN',
  'a key of another certificate is refused',
  'a chain that does not sign the certificate is refused, and so is none',
]);

if (locate('moto')) certificateManagerContract('moto', start, weaker);
else test.todo('ACM: run test/real/install moto');

async function start() {
  const moto = await startMoto();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return { config: { endpoint: moto.endpoint, credentials }, stop: () => moto.stop() };
}
