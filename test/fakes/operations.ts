// The notes of functions' work, in memory.
import type { OperationStore, PassName } from '../../lib/ports/operations.ts';
import type { Trouble } from '../../lib/state/health.ts';
import { Failures } from './failures.ts';

/** What functions note of their work, in memory. */
export class FakeOperations implements OperationStore {
  readonly failures = new Failures();
  readonly passes: Partial<Record<PassName, Date>> = {};
  readonly clusters: Record<string, Trouble> = {};
  /** Names of the clusters that were written, one write after the other. */
  readonly written: string[] = [];

  async read() {
    this.failures.check('read');
    return { passes: { ...this.passes }, clusters: { ...this.clusters } };
  }

  async recordEnd(pass: PassName, at: Date) {
    this.failures.check('recordEnd');
    this.passes[pass] = at;
  }

  async recordCluster(cluster: string, trouble: Trouble | null) {
    this.failures.check('recordCluster');
    this.written.push(cluster);
    if (trouble) this.clusters[cluster] = trouble;
    else delete this.clusters[cluster];
  }
}
