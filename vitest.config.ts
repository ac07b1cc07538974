// Tests that need nothing but npm. Those against real servers, and the long tables of crashes and faults, have a
// configuration of their own in test/real and test/matrix.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest begins first, so that it does not run alone in the end. Without this list the largest
 *  files are first, which are not the longest. */
const longestFirst = [
  'integration/crashes',
  'integration/neighbours',
  'kubernetes/odd-answers',
  'issue/neighbours',
  'deploy/neighbours',
  'dns/addresses',
  'fuzz/dns',
  'fuzz/patterns',
].map((path) => join(import.meta.dirname, 'test', `${path}.test.ts`));

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification) => {
      const index = longestFirst.indexOf(moduleId);
      return index === -1 ? longestFirst.length : index;
    };
    return (await super.sort(files)).toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

export default defineConfig({
  test: {
    globalSetup: ['test/bundles.ts'],
    setupFiles: ['test/place.ts'],
    include: ['test/**/*.test.ts'],
    // Files share a process: starting one for each costs more than most of them take.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // Most of them wait for servers and processes of theirs; one more than there are cores keeps both busy.
    maxWorkers: Math.max(3, availableParallelism()),
    exclude: ['test/real/**', 'test/matrix/**', 'node_modules/**', 'dist/**'],
    testTimeout: 120_000,
    // What is waited for comes as soon as the machine lets it: no promise is about seconds.
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 240_000,
  },
});
