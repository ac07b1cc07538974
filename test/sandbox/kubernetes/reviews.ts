// Questions that the embedded API server answers about its caller: `kubectl auth can-i` and `auth whoami`.
import * as z from 'zod';
import type { World } from './call-context.ts';
import type { ApiCall } from './requests.ts';
import { badRequest, type ResourceKind, StatusError } from './status.ts';

const text = z.string().default('');

const review = z.looseObject({
  spec: z
    .object({
      namespace: text,
      resourceAttributes: z
        .object({
          namespace: text,
          verb: text,
          group: text,
          version: text,
          resource: text,
          subresource: text,
          name: text,
        })
        .optional(),
      nonResourceAttributes: z.object({ path: text, verb: text }).optional(),
    })
    .prefault({}),
});

/** The question with its answer. Everybody may ask about himself.
 *  @throws StatusError 400 for what is no such question. */
export function answerReview({ kind }: ApiCall, body: unknown, world: World): object {
  const parsed = review.safeParse(body);
  if (!parsed.success) throw badRequest(z.prettifyError(parsed.error).replaceAll('\n', ' '));
  const { spec } = parsed.data;
  const question = { kind: kind.kind, apiVersion: `${kind.group}/${kind.version}`, metadata: {} };
  if (kind.kind === 'SelfSubjectReview') {
    const userInfo = { username: world.user, groups: ['system:authenticated'] };
    return { ...question, status: { userInfo } };
  }
  if (kind.kind === 'SelfSubjectRulesReview') {
    const resourceRules = [
      ...world.rulesIn(spec.namespace),
      { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews'] },
    ];
    return { ...question, spec, status: { resourceRules, nonResourceRules: [], incomplete: false } };
  }
  return { ...question, spec, status: judge(spec, world) };
}

/** Paths that are no resource's are discovery and the like, which everybody may read. */
function judge(spec: z.infer<typeof review>['spec'], world: World): object {
  const { resourceAttributes: asked, nonResourceAttributes } = spec;
  if (!asked) {
    if (!nonResourceAttributes) throw badRequest('spec needs resourceAttributes or nonResourceAttributes');
    return { allowed: nonResourceAttributes.verb === 'get' };
  }
  const { namespace, verb, group, version, subresource, name } = asked;
  const resource = subresource === '' ? asked.resource : `${asked.resource}/${subresource}`;
  const kind: ResourceKind = { group, version, resource, kind: '', namespaced: true };
  try {
    world.authorize({ kind, verb, namespace, name });
    return { allowed: true };
  } catch (error) {
    if (error instanceof StatusError) return { allowed: false };
    throw error;
  }
}
