// Lists the Pods of many namespaces at once, in a thread whose memory a test limits.
import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { realClock } from '../fakes/clock.ts';

const { kubeconfig, namespaces } = z
  .object({ kubeconfig: z.string(), namespaces: z.number() })
  .parse(workerData);
const quiet = () => undefined;
const cluster = connectCluster({
  name: 'lab',
  access: readKubeconfig('lab', kubeconfig),
  attemptMs: 60_000,
  clock: { ...realClock, sleep: () => new Promise((resolve) => setTimeout(resolve, 10)) },
  log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
});
const signal = AbortSignal.timeout(60_000);
const lists = Array.from({ length: namespaces }, (_, index) =>
  cluster.listOthers(`shop-${index}`, 'Pod', signal),
);
const found = await Promise.all(lists);
await cluster.close();
parentPort?.postMessage(found.map((list) => list.length));
