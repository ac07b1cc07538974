// Measures how long a new AWSCURRENT takes to be in its cluster Secret, over event, queue and function.
import { clusterName, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { renew } from './delivery.ts';
import { type Figure, median } from './figure.ts';
import { cool } from './quiet-sandbox.ts';

const repeats = 5;

/** Nothing in the sandbox waits, so what is measured is our own, and the processor's. */
export async function benchArrival(): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({
    namespaces: ['shop'],
    certificates: [
      {
        name: 'shop',
        domains: ['shop.example.com'],
        targets: [{ cluster: clusterName, namespace: 'shop', secret: 'shop-tls' }],
      },
    ],
  });
  try {
    const cold: number[] = [];
    const warm: number[] = [];
    await measureArrival(sandbox);
    for (let turn = 0; turn < repeats; turn += 1) warm.push(await measureArrival(sandbox));
    for (let turn = 0; turn < repeats; turn += 1) {
      await cool(sandbox, 'deploy');
      cold.push(await measureArrival(sandbox));
    }
    const what = 'from AWSCURRENT to the Secret updated';
    return [
      { what: `${what}, warm process`, unit: 'ms', target: 300, measured: median(warm) },
      { what: `${what}, cold process`, unit: 'ms', measured: median(cold) },
    ];
  } finally {
    await sandbox.stop();
  }
}

async function measureArrival(sandbox: Sandbox): Promise<number> {
  const { journal, queues } = sandbox;
  const { promise: arrived, resolve } = Promise.withResolvers<number>();
  const forget = journal.after(({ service, action }) => {
    if (service === 'kubernetes' && action === 'patch secrets') resolve(performance.now());
  });
  try {
    const startedAt = await renew(sandbox);
    const ms = (await arrived) - startedAt;
    await queues.deploy.untilEmpty();
    return ms;
  } finally {
    forget();
  }
}
