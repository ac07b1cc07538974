// Says by name, after all else, what was not tested because a real server is missing.
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

/** For the end of a run: the title of a skipped suite, or of a test outside suites, tells what to install. */
export const skippedReporter: Reporter = {
  onTestRunEnd(modules) {
    for (const title of new Set(modules.flatMap(skippedTitles))) console.log(`  NOT TESTED: ${title}`);
  },
};

function skippedTitles({ children }: TestModule): readonly string[] {
  return [...children.allTests('skipped')].map((test) => outermost(test).name);
}

function outermost(task: TestCase | TestSuite): TestCase | TestSuite {
  return task.parent.type === 'module' ? task : outermost(task.parent);
}
