// Tests against real servers: Pebble, Boulder, a Kubernetes control plane, moto, nginx. Slower, and one file
// at a time.
import { defineConfig } from 'vitest/config';
import { skippedReporter } from './skipped.ts';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    globalSetup: ['../bundles.ts'],
    reporters: ['default', skippedReporter],
    include: ['**/*.real.test.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 180_000,
  },
});
