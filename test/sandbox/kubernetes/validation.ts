// What the embedded API server refuses to store: the real one's rules for names, Secrets, workloads and
// definitions, as far as used.
import * as z from 'zod';
import type { KubernetesObject } from './objects.ts';
import { badRequest, type Cause, invalid, type ResourceKind } from './status.ts';

/** Bytes of all values of one Secret together. */
const maxSecretBytes = 1_048_576;

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedName = /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const secretKey = /^[-._a-zA-Z0-9]{1,253}$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Keys that a Secret of a type must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

const secretFields = z.object({
  type: z.string(),
  immutable: z.boolean().optional(),
  data: z.record(z.string(), z.string()).nullish(),
});

const workloadFields = z.object({
  spec: z.object({
    selector: z.object({ matchLabels: z.record(z.string(), z.string()).default({}) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }),
      spec: z.object({ containers: z.array(z.object({ name: z.string(), image: z.string() })).min(1) }),
    }),
  }),
});

const definitionFields = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ plural: z.string() }),
    versions: z.array(
      z.object({
        name: z.string(),
        schema: z
          .object({
            openAPIV3Schema: z.looseObject({ 'x-kubernetes-preserve-unknown-fields': z.literal(true) }),
          })
          .optional(),
      }),
    ),
  }),
});

/** Fills in what the real server fills in: `stringData` and the type of a Secret, the replicas of a workload,
 *  and what tells that a namespace is there. */
export function withDefaults(kind: ResourceKind, object: KubernetesObject): KubernetesObject {
  if (kind.resource === 'namespaces') return withPhase(object);
  if (kind.resource === 'deployments' || kind.resource === 'statefulsets') return withReplicas(object);
  if (kind.resource !== 'secrets') return object;
  const { stringData, ...rest } = object;
  const strings = z
    .record(z.string(), z.string())
    .default({})
    .parse(stringData ?? undefined);
  const data = z
    .record(z.string(), z.unknown())
    .default({})
    .parse(rest.data ?? undefined);
  const encoded = Object.entries(strings).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  const merged = { ...data, ...Object.fromEntries(encoded) };
  return {
    ...rest,
    ...(Object.keys(merged).length === 0 ? {} : { data: merged }),
    type: rest.type ?? 'Opaque',
  };
}

const knownFields: Readonly<Record<string, readonly string[]>> = {
  secrets: ['apiVersion', 'kind', 'metadata', 'data', 'stringData', 'type', 'immutable'],
  configmaps: ['apiVersion', 'kind', 'metadata', 'data', 'binaryData', 'immutable'],
};

/** The first field of an object that its kind does not have; `undefined` for kinds whose fields are not known
 *  here. */
export function findUnknownField({ resource }: ResourceKind, object: object): string | undefined {
  const known = knownFields[resource];
  return known && Object.keys(object).find((field) => !known.includes(field));
}

function withPhase(object: KubernetesObject): KubernetesObject {
  const { name, labels } = object.metadata;
  const all = { ...labels, 'kubernetes.io/metadata.name': name };
  return { ...object, metadata: { ...object.metadata, labels: all }, status: { phase: 'Active' } };
}

function withReplicas(object: KubernetesObject): KubernetesObject {
  const { spec } = z.object({ spec: z.looseObject({ replicas: z.number().optional() }) }).parse(object);
  return spec.replicas === undefined ? { ...object, spec: { ...spec, replicas: 1 } } : object;
}

/** Refuses what the real server refuses: 400 for what is no such object, 422 for one that breaks a rule. */
export function validate(
  kind: ResourceKind,
  object: KubernetesObject,
  before: KubernetesObject | undefined,
): void {
  const { name, labels, annotations } = object.metadata;
  const causes: Cause[] = [];
  const refuse = (reason: string, field: string, message: string) => causes.push({ reason, field, message });
  const isLabel = kind.resource === 'namespaces';
  if (!kind.group.startsWith('rbac') && (!subdomain.test(name) || name.length > (isLabel ? 63 : 253))) {
    refuse(
      'FieldValueInvalid',
      'metadata.name',
      `Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    );
  }
  for (const [field, values] of Object.entries({ labels, annotations })) {
    for (const key of Object.keys(values ?? {})) {
      if (!qualifiedName.test(key)) {
        refuse(
          'FieldValueInvalid',
          `metadata.${field}`,
          `Invalid value: "${key}": name part must be no more than 63 characters`,
        );
      }
    }
  }
  if (kind.resource === 'secrets') checkSecret(object, before, refuse);
  if (kind.group === 'apps') checkWorkload(kind, object, refuse);
  if (kind.resource === 'customresourcedefinitions') checkDefinition(object, refuse);
  if (causes.length > 0) throw invalid(kind, name, causes);
}

type Refuse = (reason: string, field: string, message: string) => void;

function checkSecret(object: KubernetesObject, before: KubernetesObject | undefined, refuse: Refuse): void {
  const { type, data, immutable } = parse(secretFields, object, 'Secret');
  const entries = Object.entries(data ?? {});
  for (const [key, value] of entries) {
    if (!base64.test(value)) {
      throw badRequest(
        'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
      );
    }
    if (!secretKey.test(key)) {
      refuse(
        'FieldValueInvalid',
        `data[${key}]`,
        `Invalid value: "${key}": a valid config key must consist of alphanumeric characters, '-', '_' or '.'`,
      );
    }
  }
  const bytes = entries.reduce((sum, [, value]) => sum + Buffer.byteLength(value, 'base64'), 0);
  if (bytes > maxSecretBytes) {
    refuse('FieldValueTooLong', 'data', `Too long: may not be more than ${maxSecretBytes} bytes`);
  }
  for (const key of requiredKeys[type] ?? []) {
    if (data?.[key] === undefined) refuse('FieldValueRequired', `data[${key}]`, 'Required value');
  }
  if (!before) return;
  const old = parse(secretFields, before, 'Secret');
  if (old.type !== type) refuse('FieldValueInvalid', 'type', `Invalid value: "${type}": field is immutable`);
  if (old.immutable !== true) return;
  const why = 'Forbidden: field is immutable when `immutable` is set';
  if (immutable !== true) refuse('FieldValueForbidden', 'immutable', why);
  const isSame =
    entries.length === Object.keys(old.data ?? {}).length &&
    entries.every(([key, value]) => old.data?.[key] === value);
  if (!isSame) refuse('FieldValueForbidden', 'data', why);
}

function checkWorkload(kind: ResourceKind, object: KubernetesObject, refuse: Refuse): void {
  const { selector, template } = parse(workloadFields, object, kind.kind).spec;
  const labels = template.metadata.labels;
  const isSelected = Object.entries(selector.matchLabels).every(([key, value]) => labels[key] === value);
  if (!isSelected) {
    refuse(
      'FieldValueInvalid',
      'spec.template.metadata.labels',
      `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``,
    );
  }
}

/** A definition that would have fields dropped that it does not name is a 400: this server drops none. */
function checkDefinition(object: KubernetesObject, refuse: Refuse): void {
  const { group, names, versions } = parse(definitionFields, object, 'CustomResourceDefinition').spec;
  if (object.metadata.name !== `${names.plural}.${group}`) {
    const why = 'must be spec.names.plural+"."+spec.group';
    refuse('FieldValueInvalid', 'metadata.name', `Invalid value: "${object.metadata.name}": ${why}`);
  }
  for (const [index, { schema }] of versions.entries()) {
    if (schema) continue;
    const field = `spec.versions[${index}].schema.openAPIV3Schema`;
    refuse('FieldValueRequired', field, 'Required value: schemas are required');
  }
  const approval = 'api-approved.kubernetes.io';
  if (/(^|\.)(k8s|kubernetes)\.io$/.test(group) && !object.metadata.annotations?.[approval]) {
    const why = `Required value: protected groups must have approval annotation "${approval}"`;
    refuse('FieldValueRequired', `metadata.annotations[${approval}]`, why);
  }
}

function parse<T>(schema: z.ZodType<T>, object: KubernetesObject, kind: string): T {
  const result = schema.safeParse(object);
  if (result.success) return result.data;
  const where = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join(', ');
  throw badRequest(`${kind} in version "v1" cannot be handled as a ${kind}: ${where}`);
}
