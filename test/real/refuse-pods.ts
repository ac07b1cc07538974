// Lets a version fail at one workload: the cluster does not let its pods in.
import { expect } from 'vitest';
import type { Admin } from '../contracts/kubernetes-admin.ts';

const path = '/apis/admissionregistration.k8s.io/v1';
const apiVersion = 'admissionregistration.k8s.io/v1';

/** As an admission policy of the cluster's owner might: from now on pods of one workload with one certificate
 *  are refused.
 *  @param pod `mark`: the annotation with the fingerprint. `app`: value of the pods' label. */
export async function refusePods(
  admin: Admin,
  { mark, fingerprint, app }: { readonly mark: string; readonly fingerprint: string; readonly app: string },
): Promise<void> {
  const metadata = { name: 'refuse' };
  const pods = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
  const marks = 'object.metadata.?annotations.orValue({})';
  const expression = `!(object.metadata.labels.app == '${app}' && '${mark}' in ${marks} && ${marks}['${mark}'] == '${fingerprint}')`;
  await admin.create(`${path}/validatingadmissionpolicies`, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: { matchConstraints: { resourceRules: [pods] }, validations: [{ expression }] },
  });
  await admin.create(`${path}/validatingadmissionpolicybindings`, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: { policyName: 'refuse', validationActions: ['Deny'] },
  });
  const probe = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'probe', labels: { app }, annotations: { [mark]: fingerprint } },
    spec: { containers: [{ name: 'main', image: 'registry.invalid/x:1' }] },
  };
  // The server takes a moment to see a policy.
  const create = () =>
    admin.create('/api/v1/namespaces/shop/pods?dryRun=All', probe).then(
      () => 'let in',
      () => 'refused',
    );
  await expect.poll(create).toBe('refused');
}

/** Lets all pods in again. */
export async function letPodsIn(admin: Admin): Promise<void> {
  await admin.remove(`${path}/validatingadmissionpolicybindings/refuse`);
  await admin.remove(`${path}/validatingadmissionpolicies/refuse`);
}
