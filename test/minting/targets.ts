// A target, for tests that need one and do not care for more than a part of it.
import type { SecretTarget } from '../../lib/certificate/spec.ts';

/** A target in cluster `lab`, namespace `shop`, Secret `shop-tls`. */
export function targetOf(more: Partial<SecretTarget> = {}): SecretTarget {
  return {
    cluster: 'lab',
    namespace: 'shop',
    secret: 'shop-tls',
    format: 'tls',
    restart: 'auto',
    restartStrategy: 'annotation',
    adopt: false,
    replace: false,
    ...more,
  };
}
