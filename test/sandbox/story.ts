// npm start: the main job from a registered domain to a rolled workload, on one machine, told step by step.
import { setTimeout as pause } from 'node:timers/promises';
import { narrate } from './narration.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { postDomains } from './webhook-call.ts';

const certificate = { name: 'shop', domains: ['shop.example.com', '*.shop.example.com'] };
const patienceMs = 60_000;
const startedAt = Date.now();

console.log(`
Certrelay keeps TLS certificates for Kubernetes clusters from outside the clusters. This runs its functions as they run
on AWS Lambda, against a sandbox on this machine: nothing leaves it, and no account is needed.
`);
step('Building the functions and starting the sandbox, which takes some seconds');
const sandbox = await startSandbox({
  namespaces: ['edge'],
  manifests: deployment(),
  registration: {
    zones: ['example.com'],
    issuer: 'default',
    targets: [{ cluster: 'lab', namespace: 'edge', secret: '{name}-tls' }],
  },
  onLine: (line) => {
    const told = narrate(line);
    if (told) console.log(`    ${told}`);
  },
});
try {
  await tell(sandbox);
} finally {
  await sandbox.stop();
}
console.log(`
Done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.
  npm run sandbox   leaves all this running and shows how to call each function by hand
  npm test          tests it, with nothing but npm
  README.md         how to run it on AWS: change infra/certificates.yaml and deploy
`);

async function tell({
  authority,
  route53,
  dns,
  secretsManager,
  kubernetes,
  httpApi,
  webhookSecret,
  lambda,
  journal,
}: Sandbox) {
  console.log(`    ACME CA          ${authority.directory}`);
  console.log(`    Route 53         ${route53.url}, zone example.com, answered by DNS at ${dns.address}`);
  console.log(`    Secrets Manager  ${secretsManager.url}`);
  console.log(
    `    Kubernetes       ${kubernetes.server}, Deployment edge/web mounts a Secret that is not there yet`,
  );
  console.log(`    Webhook          ${httpApi}/domains`);

  step('Somebody without the secret asks for a certificate');
  const stranger = await postDomains(httpApi, certificate);
  console.log(`    POST /domains, not signed: ${stranger.status} ${JSON.stringify(stranger.body)}`);

  step(`A customer is signed up: ${certificate.domains.join(' and ')}`);
  const registered = await postDomains(httpApi, certificate, webhookSecret);
  console.log(`    POST /domains, signed: ${registered.status} ${JSON.stringify(registered.body)}`);

  step(
    'The queue wakes the issue function: order, DNS-01, certificate; then the deploy function brings it to the cluster',
  );
  const generation = () => Number(kubernetes.find('deployments', 'edge', 'web')?.metadata.generation ?? 0);
  await until(
    'the Secret is in the cluster and the workload rolled',
    () => generation() > 1 && isDelivered(lambda.logs),
  );

  step('What is where now');
  const secret = kubernetes.find('secrets', 'edge', 'shop-tls');
  const annotations = Object.entries(secret?.metadata.annotations ?? {});
  console.log(
    `    Secret edge/shop-tls (${String(secret?.type)}) with ${Object.keys(Object(secret?.data)).join(' and ')}`,
  );
  for (const [name, value] of annotations) console.log(`      ${name}: ${value}`);
  console.log(`    Deployment edge/web was rolled once (generation ${generation()})`);
  const txt = route53.list('example.com').filter(({ type }) => type === 'TXT');
  console.log(`    TXT records left in zone example.com: ${txt.length}`);

  step('The schedule comes round: a second pass');
  const before = journal.calls.length;
  const second = await lambda.invoke('issue', {});
  console.log(`    ${JSON.stringify(second.answer)}`);
  const calls = journal.calls.slice(before).map(({ action }) => action);
  console.log(`    calls it made: ${calls.filter((action) => action !== 'ReceiveMessage').join(', ')}`);

  step('The same request once more');
  const again = await postDomains(httpApi, certificate, webhookSecret);
  console.log(`    POST /domains, signed: ${again.status} ${JSON.stringify(again.body)}`);

  step('Who called what');
  for (const principal of ['register', 'issue', 'deploy']) {
    const made = Map.groupBy(journal.find({ principal }), ({ service, action }) => `${service}:${action}`);
    made.delete('sqs:ReceiveMessage');
    made.delete('sqs:GetQueueAttributes');
    console.log(
      `    ${principal.padEnd(9)} ${[...made].map(([call, all]) => `${call} ×${all.length}`).join(', ')}`,
    );
  }
}

function isDelivered(logs: Sandbox['lambda']['logs']): boolean {
  return logs.some(({ line }) => line.includes('"certificate delivered"'));
}

function step(what: string): void {
  console.log(`\n${((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${what}`);
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!isSo()) {
    if (Date.now() > deadline)
      throw new Error(`after ${patienceMs / 1000} s it is still not so that ${what}`);
    await pause(50);
  }
}

function deployment(): string {
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'edge' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            { name: 'nginx', image: 'nginx', volumeMounts: [{ name: 'tls', mountPath: '/etc/tls' }] },
          ],
          volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }],
        },
      },
    },
  });
}
