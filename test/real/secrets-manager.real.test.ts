// moto keeps the contract of Secrets Manager but for the promises named here, where AWS documents more than
// moto enforces.
import { test } from 'vitest';
import { secretsManagerContract } from '../contracts/secrets-manager.ts';
import { locate } from './parts/locate.ts';
import { startMoto } from './parts/moto.ts';

const differences = [
  'a label that another version holds is refused to whoever does not name that version',
  'AWSCURRENT cannot be taken away',
  'a value has at most 65,536 bytes',
  'a name has letters, digits and /_+=.@- only',
  'tags: a question mark is refused',
  'tags: a line feed is refused',
  'tags: a value of 257 is refused',
  'tags: a key of 129 is refused',
  'tags: a key that begins with aws: is refused',
  'tags: 51 tags is refused',
  'a secret scheduled for deletion takes no version and no label, and its name is not free',
  'what is scheduled for deletion takes no tag and no other window, and keeps its tags',
  'a request that is not signed is refused',
];

if (locate('moto')) secretsManagerContract('moto Secrets Manager', start, differences);
else test.todo('Secrets Manager: run test/real/install moto');

async function start() {
  const moto = await startMoto();
  return { url: moto.endpoint, stop: () => moto.stop() };
}
