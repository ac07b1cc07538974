// Which test runs a command that a page shows, or why none can.

/** How a command is known to work. */
export type Shown =
  /** A test that runs it, and a text of that test which shows it. */
  | { readonly test: string; readonly by: string }
  /** Why no test here runs it. */
  | { readonly why: string };

const needsAws = { why: 'needs an AWS account; the sandbox has no AWS command line' } as const;
const needsCluster = {
  why: 'needs kubectl and a cluster; what it applies is tried on a real API server',
} as const;
const byHand = {
  why: 'a person runs it at the machine; npm run check and .ci/run call it as it stands',
} as const;

/** By the beginning of a command; the first that fits counts. Invocations are not here: their events are
 *  parsed. */
export const shownBy: readonly (readonly [begin: string, shown: Shown])[] = [
  ['npm ci', { test: '.ci/run', by: 'step npm ci' }],
  ['npm pack', { test: 'test/cli/packed.test.ts', by: "['pack', '--json', '--offline'" }],
  [
    'npm install certrelay-0.1.0.tgz',
    {
      why: 'it installs what npm pack has made, from the network; test/cli/packed.test.ts unpacks the same file',
    },
  ],
  ['npm start', { test: '.ci/run', by: 'step npm start' }],
  ['npm test', { test: '.ci/run', by: 'tests npm test' }],
  ['npm run test:matrix', { test: '.ci/run', by: 'tests npm run test:matrix' }],
  ['npm run test:real', { test: '.ci/run', by: 'tests npm run test:real' }],
  ['test/real/install', { test: '.ci/run', by: 'step test/real/install' }],
  ['npm run bench', { test: '.ci/run', by: 'step npm run bench' }],
  ['npm run simulate', { test: 'test/simulation/simulation.test.ts', by: "'test/simulation/main.ts'" }],
  ['npm run check', { test: '.ci/run', by: 'step npm run check' }],
  ['npm run format', byHand],
  ['npx certrelay', { test: 'test/docs/command-line.test.ts', by: "startsWith('npx certrelay ')" }],
  [
    'npx --no-install certrelay',
    { test: 'test/cli/checkout.test.ts', by: "'npx', ['--no-install', 'certrelay'" },
  ],
  ['npx vitest run', { why: 'this test runs by it' }],
  ['npm run sandbox -- --help', { test: 'test/docs/commands.test.ts', by: "'--help'" }],
  ['npm run sandbox -- break', { test: 'test/sandbox/session.test.ts', by: "order('break'" }],
  ['npm run sandbox -- broken', { test: 'test/sandbox/session.test.ts', by: "order('broken')" }],
  ['npm run sandbox -- mend', { test: 'test/sandbox/session.test.ts', by: "order('mend', 'all')" }],
  ['npm run --silent sandbox -- --only', { test: 'test/sandbox/alone.test.ts', by: "'--only'" }],
  ['npm run sandbox', { test: 'test/integration/main-job.test.ts', by: 'startSandbox' }],
  [
    'npm run build && docker build',
    { why: 'needs Docker; the bundle that it copies runs in test/integration/agent.test.ts' },
  ],
  ['npm run docs', { test: 'test/docs/generated.test.ts', by: 'renderInventoryPage' }],
  ['npm run build', { test: 'test/infra/build.test.ts', by: 'buildFunctions' }],
  ['npm run --silent rbac', { test: 'test/docs/commands.test.ts', by: "'infra/inventory/rbac.ts'" }],
  ['npm run rbac', { test: 'test/docs/commands.test.ts', by: "'infra/inventory/rbac.ts'" }],
  [
    'npm run lint:inventory',
    { test: 'test/integration/allowance.test.ts', by: 'infra/inventory/lint-inventory.ts' },
  ],
  [
    'npm run --silent inventory:agent',
    { test: 'test/docs/commands.test.ts', by: "'infra/inventory/agent-inventory.ts'" },
  ],
  ['npx serverless deploy', { test: 'test/real/deploy.real.test.ts', by: 'serverless deploy' }],
  ['serverless deploy', { test: 'test/real/deploy.real.test.ts', by: 'serverless deploy' }],
  ['export AWS_REGION=', { test: 'test/infra/place.test.ts', by: 'AWS_REGION' }],
  ['npx serverless package', { test: 'test/infra/packaged.ts', by: "'package'" }],
  ['serverless package', { test: 'test/infra/packaged.ts', by: "'package'" }],
  ['npx serverless info', needsAws],
  ['npx serverless logs', needsAws],
  [
    'openssl',
    {
      why: 'openssl is not part of what npm test needs; test/integration/agent.test.ts signs with such a key',
    },
  ],
  ['git pull', { why: 'fetches from where the checkout comes from' }],
  ['npx serverless remove', needsAws],
  ['cat fullchain.pem', needsAws],
  ['aws ', needsAws],
  ...['server=$(kubectl', 'ca=$(kubectl', 'token=$(kubectl', 'kubectl --kubeconfig lab'].map(
    (begin) => [begin, { test: 'test/real/service-account.real.test.ts', by: 'docs/clusters.md' }] as const,
  ),
  ['kubectl', needsCluster],
];

/** Samples and drawings, by a text in them. */
export const samples: readonly (readonly [part: string, shown: Shown])[] = [
  ['EventBridge Scheduler ─┐', { why: 'a drawing' }],
  ['to go on, run:', { test: 'test/functions/failures.test.ts', by: "'to go on, run:'" }],
  ['GET    /domains/shop', { test: 'test/webhook/endpoint.test.ts', by: "method: 'PUT', name: 'shop'" }],
  ['"previousHealth": ', { test: 'test/docs/generated.test.ts', by: 'previousHealth' }],
  ['"source": ["certrelay"]', { test: 'test/contracts/events.test.ts', by: 'matchesPattern' }],
  ['POST /domains, signed: 202', { test: 'test/sandbox/story.test.ts', by: 'README.md' }],
  ['CNAME _acme-challenge.shop-customer-com', { test: 'test/integration/delegation.test.ts', by: 'CNAME' }],
  ['openssl dgst -sha256 -mac HMAC', { test: 'test/real/webhook-examples.real.test.ts', by: "'bash'" }],
  ['import base64, hashlib, hmac', { test: 'test/real/webhook-examples.real.test.ts', by: "'python'" }],
  [
    "import { createHmac, randomUUID } from 'node:crypto'",
    { test: 'test/webhook/examples.test.ts', by: "'js'" },
  ],
  ['POST /domains\n', { test: 'test/webhook/endpoint.test.ts', by: '"domains"' }],
  ['functions/     one file a function', { test: 'test/docs/commands.test.ts', by: 'the layout' }],
  [
    "export AWS_ENDPOINT_URL_SECRETS_MANAGER='",
    { test: 'test/docs/commands.test.ts', by: "startAlone('secrets-manager')" },
  ],
  ['"Version": "2012-10-17"', { test: 'test/docs/dashboard-policies.test.ts', by: 'policy.parse' }],
  ['"issueEveryHours": 6', { test: 'test/docs/forecast.test.ts', by: 'forecast.md' }],
  ["sandbox.faults.set('route53'", { test: 'test/integration/main-job.test.ts', by: 'sandbox.faults.set(' }],
];
