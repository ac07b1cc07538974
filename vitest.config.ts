// Tests that need nothing but npm. Those against real servers, and the long tables of crashes and faults, have a
// configuration of their own in test/real and test/matrix.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/bundles.ts'],
    include: ['test/**/*.test.ts'],
    // Files share a process: starting one for each costs more than most of them take.
    isolate: false,
    // Most of them wait for servers and processes of theirs; one more than there are cores keeps both busy.
    maxWorkers: Math.max(3, availableParallelism()),
    exclude: ['test/real/**', 'test/matrix/**', 'node_modules/**', 'dist/**'],
    testTimeout: 40_000,
    hookTimeout: 120_000,
  },
});
