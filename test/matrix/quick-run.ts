// One issuing run in the test's own process: the production adapters against a sandbox, by a clock that goes
// faster. For tables of many runs, each of which waits for answers that do not come.

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createAuthorities } from '../../lib/adapters/acme/accounts.ts';
import { keyMaker } from '../../lib/adapters/acme/keys.ts';
import { connectDns } from '../../lib/adapters/dns/connection.ts';
import { connectRoute53 } from '../../lib/adapters/route53/connection.ts';
import { connectSecretsManager } from '../../lib/adapters/secrets-manager/connection.ts';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import type { IssuePorts } from '../../lib/issue/invocation.ts';
import { issueCertificates } from '../../lib/issue/issue.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { silentLog } from '../fakes/log.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { prefix, type Sandbox } from '../sandbox/sandbox.ts';

/** What a run has. */
export interface QuickTime {
  /** Real milliseconds until it would be ended. */
  readonly ms: number;
  /** How much later than now it is by its clock. */
  readonly laterMs?: number;
  /** How much faster the clock goes than time: waits between attempts are over soon, and questions to DNS are
   *  given up as soon; waits for other answers are not. */
  readonly speed?: number;
  /** What a service is given for an answer, in real milliseconds: as little as 10 s at AWS and 30 s at a CA
   *  are of a run. */
  readonly answerMs?: number;
}

/** As the issue function does it (functions/issue.ts), with as much time for work and for clean-up.
 *  @throws what `issueCertificates` throws. */
export async function runQuickly(
  sandbox: Sandbox,
  { ms, laterMs = 0, speed = 20, answerMs = 1_000 }: QuickTime,
): ReturnType<typeof issueCertificates> {
  const inventory = await readInventory(sandbox);
  const clock = startClock(laterMs, speed);
  const { secretsManager, route53, dns } = sandbox;
  const aws = {
    region: 'eu-central-1',
    credentials: { accessKeyId: accessKeyOf('issue'), secretAccessKey: 'sandbox' },
    requestHandler: { requestTimeout: answerMs, throwOnRequestTimeout: true },
  };
  const config = { ...aws, endpoint: secretsManager.url };
  const secrets = connectSecretsManager({ prefix, uuid: randomUUID, config });
  const { accounts, certificates: store, readText } = secrets;
  const authorities = createAuthorities({
    issuers: inventory.issuers,
    accounts,
    clock,
    log: silentLog,
    readFile: (path) => readFile(path, 'utf8'),
    readText,
    timeouts: { connectMs: answerMs, answerMs },
  });
  const names = connectDns({ resolvers: [dns.address], clock, log: silentLog });
  const { records, findZone } = connectRoute53({
    // The pauses between its attempts are real ones.
    config: { ...aws, endpoint: route53.url, maxAttempts: 3 },
    clock,
    log: silentLog,
    random: Math.random,
    resolveAlias: names.resolveAlias,
    findNameServers: names.findNameServers,
  });
  const preflight = { gather: names.createPreflight(findZone), describe: authorities.describe };
  const { connect } = authorities;
  const ports: IssuePorts = {
    store,
    clock,
    log: silentLog,
    openOrdering: async () => ({
      connect,
      keys: keyMaker,
      records,
      awaitVisible: names.awaitVisible,
      describe: authorities.describe,
      preflight,
    }),
  };
  const at = (realMs: number) => new Date(clock.now().getTime() + realMs * speed);
  const run = {
    id: randomUUID(),
    inventory,
    deadline: at(ms),
    workUntil: at(ms * 0.75),
    signal: AbortSignal.timeout(ms * 0.75),
    cleanUpSignal: AbortSignal.timeout(ms * 0.9),
  };
  try {
    return await issueCertificates({}, ports, run);
  } finally {
    await authorities.close();
    secrets.close();
  }
}

async function readInventory({ inventoryPath }: Sandbox): Promise<Inventory> {
  const parsed = parseInventory(await readFile(inventoryPath, 'utf8'));
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.inventory;
}

function startClock(laterMs: number, speed: number): Clock {
  const startedAt = Date.now();
  return {
    now: () => new Date(startedAt + laterMs + (Date.now() - startedAt) * speed),
    async sleep(ms, signal) {
      await pause(ms / speed, undefined, { signal }).catch(() => signal.throwIfAborted());
    },
    after(ms, act) {
      const timer = setTimeout(act, ms / speed);
      return () => clearTimeout(timer);
    },
    timeout: (ms) => AbortSignal.timeout(Math.ceil(ms / speed)),
  };
}
