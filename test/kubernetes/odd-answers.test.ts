// What an API server may answer, and what one answer may cost: bytes, time and memory.
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { connectDirectory } from '../../lib/adapters/kubernetes/directory.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { describeError } from '../../lib/ports/errors.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { answerJson, type Script, startScripted, writeForEver } from '../fakes/scripted-api-server.ts';

async function open(script: Script, limits: { readonly attemptMs?: number; readonly shareMs?: number } = {}) {
  const urls: URL[] = [];
  const kubeconfig = await startScripted((url, response, request) => {
    urls.push(url);
    script(url, response, request);
  });
  const options = {
    name: 'lab',
    access: readKubeconfig('lab', kubeconfig),
    clock: new FakeClock('2026-11-22T10:00:00Z'),
    log: new FakeLog(),
    ...limits,
  };
  const [cluster, directory] = [connectCluster(options), connectDirectory(options)];
  onTestFinished(async () => void (await Promise.all([cluster.close(), directory.close()])));
  return { cluster, directory, urls, signal: AbortSignal.timeout(60_000) };
}

const secretOf = (name: string, value = 'YQ==') => ({
  metadata: { name, namespace: 'shop', uid: '1', resourceVersion: '1' },
  data: { a: value },
});

test('a Secret of another name or namespace than was asked for is refused', async () => {
  const { cluster, signal } = await open((url, response) =>
    answerJson(response, url.pathname.endsWith('s') ? { items: [secretOf('web')] } : secretOf('web')),
  );
  expect(await cluster.readSecret('shop', 'web', signal)).toMatchObject({ uid: '1' });
  const problem = /^the answer for Secret .* in cluster lab is another Secret: check admission webhooks/;
  const refused = { code: 'Rejected', message: expect.stringMatching(problem) };
  await expect(cluster.readSecret('shop', 'api', signal)).rejects.toMatchObject(refused);
  await expect(cluster.readSecret('other', 'web', signal)).rejects.toMatchObject(refused);
  await expect(cluster.listSecrets('other', signal)).rejects.toMatchObject({ code: 'Malformed' });
});

const problemOf = (call: Promise<unknown>) => call.then(() => 'it went well', describeError);

/** Lists are cut as the server's `limit` says, and continued by the index of the next object. */
function pageOf(url: URL, all: readonly unknown[]) {
  const [from, limit] = [
    Number(url.searchParams.get('continue') ?? 0),
    Number(url.searchParams.get('limit')),
  ];
  const end = from + limit;
  return {
    metadata: end < all.length ? { continue: String(end), remainingItemCount: all.length - end } : {},
    items: all.slice(from, end),
  };
}

test('a page of more than 16 MiB is asked for again with a tenth of its objects, down to one', async () => {
  const large = 'A'.repeat(3 * 1024 * 1024);
  const all = Array.from({ length: 12 }, (_, index) => secretOf(`s-${index}`, large));
  const { cluster, urls, signal } = await open((url, response) => answerJson(response, pageOf(url, all)));
  const found = await cluster.listSecrets('shop', signal);
  expect(found.map(({ name }) => name)).toEqual(all.map(({ metadata }) => metadata.name));
  expect(urls.map(({ searchParams }) => searchParams.get('limit'))).toEqual(['500', '50', '5', '5', '5']);
});

test('one object of more than 16 MiB is an error that names the call', async () => {
  const all = [secretOf('huge', 'A'.repeat(17 * 1024 * 1024))];
  const { cluster, urls, signal } = await open((url, response) => answerJson(response, pageOf(url, all)));
  await expect(cluster.listSecrets('shop', signal)).rejects.toMatchObject({
    code: 'TooLarge',
    message: 'list secrets shop/* in cluster lab: the answer is larger than 16 MiB',
  });
  expect(urls.map(({ searchParams }) => searchParams.get('limit'))).toEqual(['500', '50', '5', '1']);
});

test.each<[string, Script, string]>([
  ['a body that never ends', (_, response) => writeForEver(response, '{"a":"'), 'larger than 4 MiB'],
  [
    'a length that is more than anybody reads',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '99999999999' });
      response.write('{}');
    },
    'larger than 4 MiB',
  ],
  [
    'a few bytes that unpack to many',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify(secretOf('web', 'A'.repeat(1024 * 1024)))));
    },
    'compressed, although the request accepts none',
  ],
  [
    'JSON that is nested 100,000 deep',
    (_, response) => answerJson(response, `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
    'nested too deep',
  ],
  [
    'more values than an object of 4 MiB can have',
    (_, response) => answerJson(response, `{"a":[${'{},'.repeat(600_000)}{}]}`),
    'more than 500000 values',
  ],
])('%s is an error after a single call, for an object and for each page', async (_, script, problem) => {
  const { cluster, urls, signal } = await open(script);
  const failed = await cluster.readSecret('shop', 'web', signal).catch(describeError);
  expect(failed).toContain('get secrets shop/web in cluster lab: the answer');
  expect(failed).toContain(problem);
  expect(urls).toHaveLength(1);
  const listed = await cluster.listWorkloads('shop', 'Deployment', signal).catch(describeError);
  expect(listed).toMatch(/^list deployments shop\/\* in cluster lab: the answer/);
});

test('a call asks for nothing compressed', async () => {
  const asked: unknown[] = [];
  const { cluster, signal } = await open((_, response, request) => {
    asked.push(request.headers['accept-encoding']);
    answerJson(response, secretOf('web'));
  });
  await cluster.readSecret('shop', 'web', signal);
  expect(asked).toEqual(['identity']);
});

test.each([
  403, 500,
])('a refusal (%i) without an end is read no further than it can be told', async (status) => {
  const { cluster, signal } = await open((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    writeForEver(response, '{"kind":"Status","message":"');
  });
  const failed = await problemOf(cluster.readSecret('shop', 'web', signal));
  expect(failed).toMatch(/^get secrets shop\/web in cluster lab: the (answer|server answered)/);
  expect(failed.length).toBeLessThan(600);
});

test.each([1, 1_000])('an answer that is not as long as it says (%i bytes) is no answer', async (length) => {
  const { cluster, signal } = await open((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(length) });
    response.end(JSON.stringify(secretOf('web')));
  });
  expect(await problemOf(cluster.readSecret('shop', 'web', signal))).toMatch(
    /cluster lab: no answer from [^ ]+ \(/,
  );
});

test('what a refusal says stays one short line', async () => {
  const message = `no\n\u001b[31mway\u2028\u202e${'x y '.repeat(100_000)}`;
  const { cluster, signal } = await open((_, response) =>
    answerJson(response, { kind: 'Status', message: message.slice(0, 60_000), reason: 'Invalid' }, 422),
  );
  const failed = await problemOf(cluster.readSecret('shop', 'web', signal));
  expect(failed).toContain('no [31mway x y');
  expect(failed).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
  expect(failed.length).toBeLessThan(500);
});

test('what stands where a list or a map should is refused for what it is', async () => {
  const text = 'a'.repeat(1024 * 1024);
  const { cluster, signal } = await open((url, response) =>
    answerJson(response, url.pathname.endsWith('s') ? { items: text } : { metadata: { labels: text } }),
  );
  await expect(cluster.listOthers('shop', 'Pod', signal)).rejects.toMatchObject({ code: 'Malformed' });
  await expect(cluster.readSecret('shop', 'web', signal)).rejects.toMatchObject({ code: 'Malformed' });
});

test('null is absent wherever it stands', async () => {
  const { cluster, directory, signal } = await open((url, response) => {
    if (url.pathname.endsWith('/secrets')) {
      return answerJson(response, { metadata: null, items: [null, { ...secretOf('web'), type: null }] });
    }
    const spec = { containers: [{ name: 'web', env: null, envFrom: [null] }], volumes: null };
    const metadata = { name: 'web', namespace: 'shop', generation: 1, annotations: null };
    const item = { metadata, spec: { template: { metadata: null, spec } }, status: null };
    if (url.pathname.endsWith('/deployments')) return answerJson(response, { items: [item, null] });
    return answerJson(response, { metadata: null, items: null });
  });
  expect((await cluster.listSecrets('shop', signal)).map(({ name }) => name)).toEqual(['web']);
  const workloads = await cluster.listWorkloads('shop', 'Deployment', signal);
  expect(workloads.map(({ name, secrets }) => [name, secrets])).toEqual([['web', []]]);
  expect(await directory.listTlsObjects('shop', ['Ingress', 'Gateway', 'Service'], signal)).toEqual([]);
});

test.each([
  'web\nERROR all is lost',
  '../../nodes',
  'a'.repeat(300),
  '',
])('a name that no object can have (%j) is an error and in no message', async (name) => {
  const { cluster, signal } = await open((_, response) => answerJson(response, { items: [secretOf(name)] }));
  await expect(cluster.listSecrets('shop', signal)).rejects.toMatchObject({
    code: 'Malformed',
    message: 'cluster lab: the answer for secrets in shop is not what the API documents (metadata.name)',
  });
});

test('a list that is continued where it has been is refused', async () => {
  const { cluster, urls, signal } = await open((_, response) =>
    answerJson(response, { metadata: { continue: 'again' }, items: [] }),
  );
  await expect(cluster.listSecrets('shop', signal)).rejects.toMatchObject({
    code: 'TooLarge',
    message: expect.stringContaining('continues the list at a page that it sent before'),
  });
  expect(urls).toHaveLength(2);
});

test('a list has an end after 200 pages', async () => {
  let page = 0;
  const { cluster, urls, signal } = await open((_, response) => {
    page += 1;
    answerJson(response, { metadata: { continue: `page-${page}` }, items: [] });
  });
  await expect(cluster.listSecrets('shop', signal)).rejects.toMatchObject({
    code: 'TooLarge',
    message: expect.stringContaining('does not end after 200 pages'),
  });
  expect(urls).toHaveLength(200);
});

test('what is kept of a cluster has an end before its pages have', async () => {
  let page = 0;
  const { cluster, signal } = await open((_, response) => {
    page += 1;
    const items = [secretOf(`s-${page}`, 'A'.repeat(15 * 1024 * 1024))];
    answerJson(response, { metadata: { continue: `page-${page}` }, items });
  });
  await expect(cluster.listSecrets('shop', signal)).rejects.toMatchObject({
    code: 'TooLarge',
    message: expect.stringContaining("the cluster's lists are too large for one run"),
  });
  expect(page).toBeLessThan(10);
});

test('a list that expires under way is begun anew, and its objects are there once', async () => {
  const all = Array.from({ length: 700 }, (_, index) => secretOf(`s-${index}`));
  let expired = false;
  const { cluster, signal } = await open((url, response) => {
    if (url.searchParams.has('continue') && !expired) {
      expired = true;
      const message = 'The provided continue parameter is too old to display a consistent list result.';
      return answerJson(response, { kind: 'Status', reason: 'Expired', message, code: 410 }, 410);
    }
    answerJson(response, pageOf(url, all));
  });
  expect(await cluster.listSecrets('shop', signal)).toHaveLength(700);
});

test('of thousands of pods with one owner one is kept, also after their list has expired under way', async () => {
  const owner = { apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka', name: 'events', uid: 'u' };
  const pods = Array.from({ length: 1_200 }, (_, index) => ({
    metadata: { name: `events-${index}`, ownerReferences: [owner] },
    spec: { containers: [{ name: 'main', envFrom: [{ secretRef: { name: 'tls' } }] }] },
  }));
  let expired = false;
  const { cluster, urls, signal } = await open((url, response) => {
    if (url.searchParams.has('continue') && !expired) {
      expired = true;
      const message = 'The provided continue parameter is too old.';
      return answerJson(response, { kind: 'Status', reason: 'Expired', message, code: 410 }, 410);
    }
    answerJson(response, pageOf(url, pods));
  });
  expect(await cluster.listOthers('shop', 'Pod', signal)).toEqual([
    {
      kind: 'Pod',
      name: 'events-0',
      owner: { group: 'kafka.strimzi.io', kind: 'Kafka', name: 'events' },
      secrets: ['tls'],
      fixed: ['tls'],
    },
  ]);
  const selector = 'status.phase!=Succeeded,status.phase!=Failed';
  expect(urls.map((url) => url.searchParams.get('fieldSelector'))).toEqual(urls.map(() => selector));
});

test('many large answers at once are read one after the other', async () => {
  const metadata = { name: 'web', uid: '1', resourceVersion: '1' };
  const body = JSON.stringify({ items: [{ metadata, data: { a: 'A'.repeat(8 * 1024 * 1024) } }] });
  const { cluster, signal } = await open((_, response) => answerJson(response, body));
  const before = process.memoryUsage().rss;
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss - before);
  }, 5);
  const namespaces = Array.from({ length: 20 }, (_, index) => `shop-${index}`);
  const ends = await Promise.allSettled(namespaces.map((one) => cluster.listSecrets(one, signal)));
  clearInterval(watch);
  expect(ends.some(({ status }) => status === 'fulfilled')).toBe(true);
  expect(ends.some(({ status }) => status === 'rejected')).toBe(true);
  expect(most / 1024 / 1024).toBeLessThan(500);
});

test('a page is let go before the next one is asked for, in however many lists at once', async () => {
  const note = 'x'.repeat(60_000);
  const kubeconfig = await startScripted((url, response) => {
    const page = Number(url.searchParams.get('continue') ?? 0);
    const items = Array.from({ length: page === 0 ? 100 : 1 }, (_, index) => ({
      metadata: { name: `web-${page}-${index}`, annotations: { note } },
      spec: { containers: [{ name: 'web', envFrom: [{ secretRef: { name: 'tls' } }] }] },
    }));
    answerJson(response, { metadata: page < 1 ? { continue: String(page + 1) } : {}, items });
  });
  const worker = new Worker(new URL('./many-lists.ts', import.meta.url), {
    workerData: { kubeconfig, namespaces: 14 },
    resourceLimits: { maxOldGenerationSizeMb: 96 },
  });
  onTestFinished(async () => void (await worker.terminate()));
  const found = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  expect(found).toEqual(Array.from({ length: 14 }, () => 101));
}, 60_000);

test('a cluster that is slow in all that it answers has its share of the time, and no more', async () => {
  const script: Script = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const trickle = setInterval(() => response.write(' '), 50);
    response.on('close', () => clearInterval(trickle));
  };
  const { cluster, signal } = await open(script, { attemptMs: 400, shareMs: 1_000 });
  const names = Array.from({ length: 5 }, (_, index) => `web-${index}`);
  const problems: unknown[] = [];
  for (const name of names)
    problems.push(await cluster.readSecret('shop', name, signal).catch(describeError));
  expect(problems.at(-1)).toBe(
    "get secrets shop/web-4 in cluster lab: the cluster has used up its share of this run's time, 1 s, by slow or endless answers: check its API server; the next run tries again",
  );
});
