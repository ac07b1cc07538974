// npm run sandbox: everything stays up until Ctrl-C, and each function can be called from another terminal.
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { partNames, startAlone } from './alone.ts';
import { narrate } from './narration.ts';
import { startSandbox } from './sandbox.ts';

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    insync: { type: 'string', default: '0' },
    only: { type: 'string' },
  },
});
if (values.help) {
  console.log(`npm run sandbox [-- --insync SECONDS | --only PART]

  --insync SECONDS   how long a Route 53 change is PENDING (default 0)
  --only PART        one part and no functions: ${partNames.join(', ')}`);
  process.exit(0);
}
if (values.only !== undefined) {
  const part = await startAlone(values.only);
  const environment = Object.entries(part.environment).map(([name, value]) => `export ${name}='${value}'`);
  console.log([...environment, `# ${values.only} is up. Ctrl-C ends it.`].join('\n'));
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  await part.stop();
  process.exit(0);
}

const sandbox = await startSandbox({
  zones: ['example.com', 'example.org'],
  namespaces: ['shop', 'edge'],
  certificates: [
    {
      name: 'shop',
      domains: ['shop.example.com', '*.shop.example.com'],
      issuer: 'default',
      key: 'ecdsa-p256',
      targets: [{ cluster: 'lab', namespace: 'shop', secret: 'shop-tls' }],
    },
  ],
  registration: {
    zones: ['example.com', 'example.org'],
    issuer: 'default',
    targets: [{ cluster: 'lab', namespace: 'edge', secret: '{name}-tls' }],
  },
  onLine: (line) => {
    const told = narrate(line);
    if (told) console.log(told);
  },
});
sandbox.route53.settings.insyncMs = Number(values.insync) * 1000;

const folder = dirname(sandbox.inventoryPath);
const environmentFile = join(folder, 'environment');
const lines = Object.entries({ ...sandbox.environment, CERTRELAY_WEBHOOK: `${sandbox.httpApi}/domains` });
await writeFile(environmentFile, lines.map(([name, value]) => `export ${name}='${value}'\n`).join(''));
const kubeconfig = join(folder, 'kubeconfig');
await writeFile(kubeconfig, sandbox.kubernetes.kubeconfig('admin'), { mode: 0o600 });
const registration = join(folder, 'register.json');
await writeFile(registration, JSON.stringify(registrationEvent(sandbox.webhookSecret), null, 2));

console.log(`
The sandbox is up. In another terminal, in this folder:

  . ${environmentFile}

  npx serverless invoke local -f issue --data '{"dryRun": true}'   # the plan; this one runs in your terminal
  npx serverless invoke local -f issue                             # order what is due
  npx serverless invoke local -f deploy                            # reconcile every target
  npx serverless invoke local -f export --data '{"certificates": ["shop"]}'   # so import, revoke, pause: see the README
  npx serverless invoke local -f register --path ${registration}
  npx serverless invoke -f issue                                   # the same through the sandbox's Lambda

The inventory is ${sandbox.inventoryPath} (edit it and call issue again).
The cluster:      kubectl --kubeconfig ${kubeconfig} -n shop get secret shop-tls
Its log follows. Ctrl-C ends everything.
`);

process.once('SIGINT', () => void stop());
process.once('SIGTERM', () => void stop());

async function stop(): Promise<void> {
  await sandbox.stop();
  process.exit(0);
}

/** A signed request as API Gateway hands it to the function; good for five minutes. */
function registrationEvent(secret: string): object {
  const body = JSON.stringify({ name: 'customer', domains: ['customer.example.org'] });
  const now = new Date();
  return {
    version: '2.0',
    requestContext: { http: { method: 'POST' } },
    headers: {
      'content-type': 'application/json',
      'webhook-id': 'msg_by_hand',
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign('msg_by_hand', now, body),
    },
    body,
    isBase64Encoded: false,
  };
}
