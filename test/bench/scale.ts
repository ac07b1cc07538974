// Measures what grows: many certificates due at once, passes over very many, renewals, and what a crash
// costs.
import { planCertificates } from '../../lib/policy/issuance/plan.ts';
import { actual, desired } from '../policy/situations.ts';
import type { Call } from '../sandbox/journal.ts';
import { prefix, type Sandbox } from '../sandbox/sandbox.ts';
import { type Figure, median } from './figure.ts';
import { acmeBudget, measureIssuance } from './issuance.ts';
import { cool, invoke, startQuietSandbox } from './quiet-sandbox.ts';
import { stock, stockSpecs } from './stock.ts';

const many = 10_000;
const due = 300;
const zones = Array.from({ length: 20 }, (_, index) => `zone-${index}.example.com`);
/** As many orders as one change per zone is shared by (lib/issue/order/batch.ts). */
const waves = Math.ceil(due / 300);

/** 300 of 10,000 are due, in 20 zones, and ordered in one run. */
export async function benchManyDue(): Promise<readonly Figure[]> {
  const sandbox = await startQuietSandbox({ zones });
  try {
    await measureIssuance(sandbox, 1, 'first', undefined, zones[0]);
    await stock(sandbox, many - due);
    const orders = Array.from({ length: due }, (_, index) => {
      const name = `due-${index}`;
      const apex = `${name}.${zones[index % zones.length]}`;
      return { name, domains: [apex, `*.${apex}`] };
    });
    await sandbox.setCertificates([...stockSpecs(many - due), ...orders]);
    await cool(sandbox, 'issue');
    const { ms, calls, peakMemoryMb, answer } = await invoke(sandbox, 'issue');
    const acme = calls.filter(({ service }) => service === 'acme');
    const changes = calls.filter(({ action }) => action === 'ChangeResourceRecordSets').length;
    const what = `${due} due of ${many} in ${zones.length} zones`;
    const issued: unknown = Object(answer).summary?.issued;
    return [
      { what: `${what}: issued`, unit: 'count', target: { exactly: due }, measured: Number(issued) },
      {
        what: '  Route 53 change calls, 2 a zone and wave',
        unit: 'count',
        target: 2 * zones.length * waves,
        measured: changes,
      },
      {
        what: '  ACME requests, looks at orders counted once',
        unit: 'count',
        target: acmeBudget(due),
        measured: withoutRepeats(acme),
      },
      { what: '  peak memory', unit: 'MB', target: 512, measured: peakMemoryMb },
      { what: '  cold process', unit: 'ms', measured: ms },
    ];
  } finally {
    await sandbox.stop();
  }
}

/** One after another: a renewal that the CA asks for while it holds valid authorizations; a run after one
 *  that was killed. */
export async function benchSingles(): Promise<readonly Figure[]> {
  const sandbox = await startQuietSandbox();
  try {
    await measureIssuance(sandbox, 1, 'known');
    return [await measureRenewal(sandbox), ...(await measureResume(sandbox))];
  } finally {
    await sandbox.stop();
  }
}

async function measureRenewal(sandbox: Sandbox): Promise<Figure> {
  const { secretsManager, authority } = sandbox;
  const secret = secretsManager.vault.mustFind(`${prefix}/certificates/known-0`);
  const current = secret.versions.get(secret.labels.get('AWSCURRENT') ?? '');
  authority.renewNow(String(JSON.parse(current?.value.text ?? '{}')['tls.crt']));
  secret.setTags([['certrelay:askAfter', '']]);
  const { calls, answer } = await invoke(sandbox, 'issue');
  if (Object(answer).summary?.issued !== 1) throw new Error('nothing was renewed');
  const aws = calls.filter(({ service }) => service === 'route53').length;
  return {
    what: 'ACME requests of a renewal with ARI and valid authorizations',
    unit: 'count',
    target: 7,
    measured: calls.filter(({ service }) => service === 'acme').length,
    note: `and ${aws} calls of Route 53`,
  };
}

/** The process is killed before it finalizes; all that is left to do is to finalize, to download, and to
 *  clean up. */
async function measureResume(sandbox: Sandbox): Promise<readonly Figure[]> {
  const { lambda, journal, secretsManager } = sandbox;
  await sandbox.setCertificates([{ name: 'crash', domains: ['crash.example.com', '*.crash.example.com'] }]);
  const stop = journal.before(async ({ action }) => {
    if (action !== 'finalize') return;
    stop();
    await lambda.kill('issue');
    throw new Error('the process was killed before this call');
  });
  await lambda.invoke('issue', {});
  const secret = secretsManager.vault.mustFind(`${prefix}/certificates/crash`);
  const claim = secret.versions.get(secret.labels.get('AWSPENDING') ?? '');
  const value = JSON.parse(claim?.value.text ?? '{}');
  value.pending.deadline = new Date().toISOString();
  if (claim) secret.versions.set(claim.id, { ...claim, value: { text: JSON.stringify(value) } });
  const { calls } = await invoke(sandbox, 'issue');
  const acme = calls.filter(({ service }) => service === 'acme');
  const needless = acme.filter(({ action }) => /newOrder|authorization|challenge/i.test(action));
  return [
    {
      what: 'a run after a crash before finalize: ACME requests made again for nothing',
      unit: 'count',
      target: 0,
      measured: needless.length,
      note: `${withoutRepeats(acme)} in all: ${acme.map(({ action }) => action).join(', ')}`,
    },
    {
      what: '  Route 53 changes',
      unit: 'count',
      target: 1,
      measured: calls.filter(({ action }) => action === 'ChangeResourceRecordSets').length,
    },
  ];
}

/** Time for each certificate of a run, against that of a run for one. */
export async function benchGrowth(): Promise<readonly Figure[]> {
  const sandbox = await startQuietSandbox();
  try {
    await measureIssuance(sandbox, 1, 'first');
    const each = new Map<number, number>();
    for (const count of [1, 10, 100, 1_000]) {
      const repeats = count < 100 ? 3 : 1;
      const times: number[] = [];
      for (let turn = 0; turn < repeats; turn += 1)
        times.push((await measureIssuance(sandbox, count, `n${count}-${turn}`)).ms / count);
      each.set(count, median(times));
    }
    const single = each.get(1) ?? Number.NaN;
    return [...each].map(([count, ms]) => ({
      what: `own time a certificate at N = ${count} / at N = 1`,
      unit: 'times',
      target: 1,
      measured: ms / single,
      note: `${ms.toFixed(1)} ms each`,
    }));
  } finally {
    await sandbox.stop();
  }
}

/** Deciding alone, over situations that were read already. */
export function benchPlanning(): readonly Figure[] {
  const inputs = Array.from({ length: many }, (_, index) => ({
    name: `certificate-${index}`,
    situation: { desired, actual: { ...actual, fingerprint: `${index}` } },
  }));
  const times = Array.from({ length: 5 }, () => {
    const startedAt = performance.now();
    planCertificates(inputs, new Date());
    return performance.now() - startedAt;
  });
  return [{ what: `planning ${many} certificates`, unit: 'ms', target: 300, measured: median(times) }];
}

function withoutRepeats(calls: readonly Call[]): number {
  const looks = calls.filter(({ resource }) => /\/(acme\/order|my-order)\//.test(resource));
  return calls.length - looks.length + new Set(looks.map(({ resource }) => resource)).size;
}
