// The retire story: records that certificates are to be let go, or that they stay after all. `issue`,
// `deploy` and agents do the parts.
import { mostAnswerBytes, takeFitting } from '../policy/bounds.ts';
import { errorOfPart } from '../ports/errors.ts';
import type { RetireRequest } from '../requests/retire.ts';
import { createRefusal } from '../requests/unknown.ts';
import type { RetiredCertificate, RetireInvocation, RetirePorts } from './invocation.ts';
import { letGo } from './let-go.ts';
import { listRetired } from './list.ts';
import { restore } from './restore.ts';

/** The answer of `retire`. It contains no secrets. */
export interface RetireReport {
  readonly certificates: readonly RetiredCertificate[];
  /** How many did not fit into the answer; absent if all did. */
  readonly omitted?: number;
}

/** Lets the requested certificates go, or restores them; without names, reports all that are on their way. A
 *  dry run only reports. May be called twice: the second call changes nothing. `failures` has one error for
 *  each name that is refused, unknown or could not be written.
 *  @throws StoreError if no names are given and the store cannot be listed. */
export async function retireCertificates(
  request: RetireRequest,
  ports: RetirePorts,
  invocation: RetireInvocation,
): Promise<{ readonly report: RetireReport; readonly failures: readonly Error[] }> {
  const names = request.certificates ?? request.restore;
  if (!names) return { report: bound(await listRetired(ports, invocation)), failures: [] };
  const act = request.restore ? restore : letGo;
  const refuse = createRefusal({ ...invocation, store: ports.store });
  const certificates: RetiredCertificate[] = [];
  const failures: Error[] = [];
  for (const name of new Set(names)) {
    try {
      certificates.push(await act(name, request, { ...ports, refuse }, invocation));
    } catch (cause) {
      invocation.signal.throwIfAborted();
      failures.push(errorOfPart(name, cause));
    }
  }
  return { report: bound(certificates), failures };
}

function bound(all: readonly RetiredCertificate[]): RetireReport {
  const certificates = takeFitting(all, mostAnswerBytes);
  const omitted = all.length - certificates.length;
  return { certificates, ...(omitted > 0 ? { omitted } : {}) };
}
