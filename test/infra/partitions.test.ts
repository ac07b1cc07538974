// The stacks' ARNs are of the partition that they are deployed in (China, GovCloud, the European Sovereign
// Cloud).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const top = join(import.meta.dirname, '../..');
const templates = [
  'serverless.yml',
  ...readdirSync(join(top, 'infra'), { recursive: true, encoding: 'utf8' })
    .filter(
      (name) => /\.(ya?ml|ts)$/.test(name) && name !== 'certificates.yaml' && !name.endsWith('rbac.yaml'),
    )
    .map((name) => `infra/${name}`),
];

test.for(templates)('%s names no partition by itself', (path) => {
  const lines = readFileSync(join(top, path), 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, ''));
  expect(lines.filter((line) => /\barn:aws\b/.test(line))).toEqual([]);
});
