// What an agent that makes several passes remembers of its cluster between them.
import type { OperationRecord, OperationStore } from '../ports/operations.ts';
import type { Trouble } from '../state/health.ts';

/** The trouble of the agent's cluster, kept while the process runs: targets that back off because of it are
 *  tried as soon as it answers again. An agent that makes one pass a process remembers nothing. */
export class ClusterMemory implements Pick<OperationStore, 'read' | 'recordCluster'> {
  readonly #clusters = new Map<string, Trouble>();

  async read(): Promise<OperationRecord> {
    return { passes: {}, clusters: Object.fromEntries(this.#clusters) };
  }

  async recordCluster(cluster: string, trouble: Trouble | null): Promise<void> {
    if (trouble) this.#clusters.set(cluster, trouble);
    else this.#clusters.delete(cluster);
  }
}
