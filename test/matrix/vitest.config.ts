// The whole tables of crashes and faults: minutes of killed processes, too long for `npm test`.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    globalSetup: ['../bundles.ts'],
    include: ['**/*.matrix.test.ts'],
    isolate: false,
    maxWorkers: Math.max(3, availableParallelism()),
    testTimeout: 600_000,
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 180_000,
  },
});
