// Decides whether a Kubernetes Secret already contains another certificate that is valid now.
import { UnparsableError } from '../../certificate/der.ts';
import { certificatesIn } from '../../certificate/pem.ts';
import { layOutPem } from '../../certificate/secret-layout.ts';
import type { SecretTarget } from '../../certificate/spec.ts';
import { isValidAt } from '../../certificate/validity.ts';
import { type CertificateFacts, readCertificate } from '../../certificate/x509.ts';
import { type ClusterSecret, readNotAfter, versionAnnotation } from '../kubernetes/objects.ts';
import type { Delivery } from './secret-plan.ts';

/** Whether the Secret contains a certificate that is valid at `now`. It reads the first certificate under
 *  the keys of the target's format and under the keys that we applied before, whoever wrote it. A keystore
 *  cannot be read: it counts as valid until the recorded `notAfter`, and without one always, unless it is
 *  of the version to deliver. */
export function hasValidCertificate(
  found: ClusterSecret,
  delivery: Delivery,
  { format, keys }: Pick<SecretTarget, 'format' | 'keys'>,
  now: Date,
): boolean {
  const names = format === 'pkcs12' ? [] : Object.keys(layOutPem(delivery, format, keys));
  const facts = [...names, ...found.owned.data]
    .map((name) => readFirst(found.data[name]))
    .find((certificate) => certificate !== undefined);
  if (facts || format !== 'pkcs12') return facts !== undefined && isValidAt(facts, now);
  const isOther = found.annotations[versionAnnotation] !== delivery.version;
  return isOther && Object.keys(found.data).length > 0 && (readNotAfter(found) ?? endOfTime) > now;
}

/** The last instant that a `Date` can be. */
const endOfTime = new Date(8.64e15);

/** The first certificate in a data value (base64 of PEM); `undefined` if there is none that can be read. */
function readFirst(base64: string | undefined): CertificateFacts | undefined {
  const text = Buffer.from(base64 ?? '', 'base64').toString('latin1');
  const [first] = certificatesIn(text);
  if (first === undefined) return undefined;
  try {
    return readCertificate(first);
  } catch (error) {
    if (error instanceof UnparsableError) return undefined;
    throw error;
  }
}
