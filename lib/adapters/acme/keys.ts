// Generates the private keys of certificates, and signs certificate requests with them.
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyType } from '../../certificate/spec.ts';
import type { KeyMaker } from '../../ports/acme.ts';
import { writeSigningRequest } from './signing-request.ts';

const generate = promisify(generateKeyPair);

/** Makes keys and requests with the crypto of Node. */
export const keyMaker: KeyMaker = {
  async generate(type) {
    const { privateKey } = await generatePair(type);
    return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  },
  request: async (key, domains) => writeSigningRequest(key, domains),
};

function generatePair(type: KeyType) {
  switch (type) {
    case 'ecdsa-p256':
      return generate('ec', { namedCurve: 'P-256' });
    case 'ecdsa-p384':
      return generate('ec', { namedCurve: 'P-384' });
    case 'rsa-2048':
      return generate('rsa', { modulusLength: 2048 });
    case 'rsa-3072':
      return generate('rsa', { modulusLength: 3072 });
    case 'rsa-4096':
      return generate('rsa', { modulusLength: 4096 });
  }
}
