// Tells whether a cluster Secret holds a certificate that is valid now.
import { isValidAt } from '../../certificate/bundle.ts';
import { UnparsableError } from '../../certificate/der.ts';
import { layOutPem } from '../../certificate/formats.ts';
import type { SecretTarget } from '../../certificate/spec.ts';
import { type CertificateFacts, readCertificate } from '../../certificate/x509.ts';
import { type ClusterSecret, readNotAfter, versionAnnotation } from '../kubernetes/objects.ts';
import type { Delivery } from './secret.ts';

/** Whether the Secret holds another certificate than the one to be delivered, and that is valid at `now`: one that stands in it as
 *  the target's format has it, or as we had laid it out before, whoever put it there. Nobody can look into a keystore: what
 *  counts is the end that was noted, and one of which none was noted may be valid. */
export function holdsValid(
  found: ClusterSecret,
  delivery: Delivery,
  { format, keys }: Pick<SecretTarget, 'format' | 'keys'>,
  now: Date,
): boolean {
  const names = format === 'pkcs12' ? [] : Object.keys(layOutPem(delivery, format, keys));
  const facts = [...names, ...found.owned.data]
    .map((name) => readFirst(found.data[name]))
    .find((one) => one !== undefined);
  if (facts || format !== 'pkcs12') return facts !== undefined && isValidAt(facts, now);
  const isOther = found.annotations[versionAnnotation] !== delivery.version;
  return isOther && Object.keys(found.data).length > 0 && (readNotAfter(found) ?? never) > now;
}

/** The last instant that there is. */
const never = new Date(8.64e15);

/** The first certificate of a value. */
function readFirst(base64: string | undefined): CertificateFacts | undefined {
  const text = Buffer.from(base64 ?? '', 'base64').toString('latin1');
  const start = text.indexOf('-----BEGIN CERTIFICATE-----');
  if (start < 0) return undefined;
  try {
    return readCertificate(text.slice(start));
  } catch (error) {
    if (error instanceof UnparsableError) return undefined;
    throw error;
  }
}
