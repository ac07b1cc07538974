// Connects to AWS Secrets Manager, which stores everything.
import { randomUUID } from 'node:crypto';
import {
  connectSecretsManager,
  type SecretsManagerConnection,
} from '../../lib/adapters/secrets-manager/connection.ts';
import type { Inventory } from '../../lib/certificate/spec.ts';
import type { Closing } from '../runtime/define-function.ts';
import type { Invocation } from '../runtime/invocation.ts';

/** One connection; `closing` ends it. */
export function openSecrets(
  {
    settings,
    inventory,
  }: Pick<Invocation, 'settings'> & { readonly inventory?: Pick<Inventory, 'tags' | 'kmsKey'> },
  closing: Closing,
): SecretsManagerConnection {
  const secrets = connectSecretsManager({
    prefix: settings.prefix,
    uuid: randomUUID,
    tags: inventory?.tags,
    kmsKey: inventory?.kmsKey,
  });
  closing.push(() => secrets.close());
  return secrets;
}
