// How many names a profile allows, where that is known.
import { expect, test } from 'vitest';
import { maxNamesOf } from '../../lib/certificate/profiles.ts';

const production = 'https://acme-v02.api.letsencrypt.org/directory';
const staging = 'https://acme-staging-v02.api.letsencrypt.org/directory';

test.each([
  [production, undefined, 100],
  [production, 'classic', 100],
  [production, 'tlsserver', 25],
  [staging, 'shortlived', 25],
  [production, 'gold', undefined],
  ['https://ca.example/directory', undefined, undefined],
  ['https://ca.example/directory', 'tlsserver', undefined],
])('at %s a certificate of profile %s holds at most %s names', (directory, profile, names) => {
  expect(maxNamesOf(directory, profile)).toBe(names);
});
