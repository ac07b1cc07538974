// Label and field selectors, as the API server reads them.
import * as z from 'zod';
import type { KubernetesObject } from './objects.ts';
import { badRequest, type ResourceKind } from './status.ts';

type Matches = (object: KubernetesObject) => boolean;
type Labels = Readonly<Record<string, string>>;

/** The selectors of a list's query, as one. @throws StatusError 400 for one that is none, and for a field
 *  that the kind cannot be selected by. */
export function readSelectors(kind: ResourceKind, query: URLSearchParams): Matches {
  const byLabels = splitTerms(query.get('labelSelector') ?? '').map(readRequirement);
  const byFields = readFields(kind, query.get('fieldSelector') ?? '');
  return (object) => byLabels.every((matches) => matches(object.metadata.labels ?? {})) && byFields(object);
}

/** Splits at commas that stand in no parentheses. */
function splitTerms(text: string): readonly string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

function readRequirement(term: string): (labels: Labels) => boolean {
  const [, key = '', operator = '', list] =
    /^([^\s=!()]+)\s*(==|=|!=|\s(?:in|notin)\b)\s*(.*)$/.exec(term) ?? [];
  if (list !== undefined) {
    const [, inside] = /^\(([^()]*)\)$/.exec(list) ?? [];
    const isSet = operator.trim().endsWith('in');
    if (isSet ? inside === undefined : /[\s()!=]/.test(list)) {
      throw badRequest(`unable to parse requirement: found '${list}'`);
    }
    const values = isSet ? (inside ?? '').split(',').map((value) => value.trim()) : [list];
    return operator === '!=' || operator.trim() === 'notin'
      ? (labels) => !values.includes(labels[key] ?? '') || labels[key] === undefined
      : (labels) => labels[key] !== undefined && values.includes(labels[key]);
  }
  const [, absent, name] = /^(!?)\s*([^\s=!()]+)$/.exec(term) ?? [];
  if (name === undefined) throw badRequest(`unable to parse requirement: found '${term}'`);
  return (labels) => Object.hasOwn(labels, name) !== (absent === '!');
}

const selectable = z.object({
  type: z.string().optional(),
  spec: z.object({ nodeName: z.string().optional() }).catch({}),
  status: z.object({ phase: z.string().optional() }).catch({}),
  involvedObject: z.record(z.string(), z.string()).catch({}),
});
type Selectable = z.infer<typeof selectable>;

/** Fields that kinds can be selected by, beside name and namespace; a 400 says that others are not there. */
const fieldsOf: Readonly<Record<string, Readonly<Record<string, (object: Selectable) => string>>>> = {
  pods: {
    'status.phase': ({ status }) => status.phase ?? 'Pending',
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
  },
  secrets: { type: ({ type }) => type ?? '' },
  namespaces: { 'status.phase': ({ status }) => status.phase ?? '' },
  events: Object.fromEntries(
    ['kind', 'name', 'namespace', 'uid'].map((field) => [
      `involvedObject.${field}`,
      ({ involvedObject }: Selectable) => involvedObject[field] ?? '',
    ]),
  ),
};

function readFields({ resource }: ResourceKind, text: string): Matches {
  const terms = splitTerms(text).map((term) => {
    const [, field = '', operator = '', value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? [];
    if (operator === '') throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const read = readField(resource, field);
    return (object: KubernetesObject) => (operator !== '!=') === (read(object) === value);
  });
  return (object) => terms.every((matches) => matches(object));
}

function readField(resource: string, field: string): (object: KubernetesObject) => string {
  if (field === 'metadata.name') return ({ metadata }) => metadata.name;
  if (field === 'metadata.namespace') return ({ metadata }) => metadata.namespace ?? '';
  const read = fieldsOf[resource]?.[field];
  if (!read) throw badRequest(`field label not supported: ${field}`);
  return (object) => read(selectable.parse(object));
}
