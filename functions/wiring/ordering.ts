// Connects to the CA, Route 53 and DNS. Only invocations that order a certificate load this.
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecretsManagerConnection } from '../../lib/adapters/secrets-manager/connection.ts';
import type { OrderingPorts } from '../../lib/issue/invocation.ts';
import type { Closing } from '../runtime/define-function.ts';
import type { Invocation } from '../runtime/invocation.ts';

/** The ports for orders. The caller runs `closing` at the end. */
export async function openOrdering(
  { id, settings, inventory, log, clock }: Invocation,
  { accounts, readText }: SecretsManagerConnection,
  closing: Closing,
): Promise<OrderingPorts> {
  const [{ createAuthorities }, { keyMaker }, { connectRoute53 }, { connectDns }] = await Promise.all([
    import('../../lib/adapters/acme/accounts.ts'),
    import('../../lib/adapters/acme/keys.ts'),
    import('../../lib/adapters/route53/connection.ts'),
    import('../../lib/adapters/dns/connection.ts'),
  ]);
  const authorities = createAuthorities({
    issuers: inventory.issuers,
    accounts,
    clock,
    log,
    readFile: (path) => readFile(path, 'utf8'),
    readText,
  });
  closing.push(() => authorities.close());
  const dns = connectDns({ resolvers: settings.resolvers, clock, log });
  const route53 = connectRoute53({
    clock,
    log,
    random: Math.random,
    resolveAlias: dns.resolveAlias,
    findNameServers: dns.findNameServers,
    delegationZone: inventory.dns?.delegationZone,
    roles: inventory.dns?.zones,
    sessionName: `certrelay-${id}`,
  });
  const { delegationZone, preflight = true } = inventory.dns ?? {};
  return {
    connect: authorities.connect,
    findObstacle: authorities.findObstacle,
    keys: keyMaker,
    accountKeys: authorities.accountKeys,
    records: route53.records,
    awaitVisible: dns.awaitVisible,
    describe: authorities.describe,
    preflight: preflight
      ? { gather: dns.createPreflight(route53.findZone, delegationZone), describe: authorities.describe }
      : undefined,
  };
}

/** A new key that signs deliveries to agents: Ed25519, PKCS#8 PEM. */
export function generateSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
