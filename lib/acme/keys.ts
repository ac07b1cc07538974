// Private keys and certificate signing requests for certificates.
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import acmeCrypto from 'acme-client/src/crypto/index.js';
import type { KeyType } from '../certificate/spec.ts';
import type { KeyMaker } from '../ports.ts';

const generate = promisify(generateKeyPair);
/** Upper bound of a common name (RFC 5280, appendix A.1: ub-common-name). */
const maxCommonName = 64;

/** Keys from Node's crypto, requests by acme-client. */
export const keyMaker: KeyMaker = {
  async generate(type) {
    const { privateKey } = await generatePair(type);
    return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  },
  async request(key, domains) {
    const commonName = domains.find((domain) => domain.length <= maxCommonName);
    const [, csr] = await acmeCrypto.createCsr({ altNames: [...domains], commonName }, key);
    return csr.toString();
  },
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
