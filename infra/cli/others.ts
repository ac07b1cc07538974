// What has a health beside certificates, in a report of `status`: found by the name that people copy from its
// table, such as `cluster/prod`.
import { nameSome } from '../../lib/policy/bounds.ts';
import { findNearest } from '../../lib/policy/nearest.ts';
import { type AnswerFields, listOf, textOf } from './answer.ts';
import { CommandError } from './errors.ts';

/** A cluster, an issuer, an agent, a function or a channel. */
export interface OtherSubject {
  /** `cluster/prod`. */
  readonly name: string;
  readonly fields: AnswerFields;
}

const lists = {
  clusters: 'cluster',
  issuers: 'issuer',
  agents: 'agent',
  functions: 'function',
  channels: 'channel',
};

/** All of them. */
export function listOthers(report: AnswerFields): readonly OtherSubject[] {
  return Object.entries(lists).flatMap(([key, kind]) =>
    listOf(report, key).map((fields) => ({ name: `${kind}/${textOf(fields, 'name')}`, fields })),
  );
}

/** The named ones. @throws CommandError `usage` if one is not there, with the nearest that is. */
export function findOthers(report: AnswerFields, names: readonly string[]): readonly OtherSubject[] {
  const all = listOthers(report);
  return names.map((name) => {
    const found = all.find((one) => one.name === name);
    if (found) return found;
    const known = all.map((one) => one.name);
    const nearest = findNearest(name, known);
    const advice = nearest === undefined ? `there are ${nameSome(known, 20)}` : `did you mean ${nearest}?`;
    throw new CommandError('usage', `nothing is called ${name}; ${advice}`);
  });
}

/** The certificates that are not `Healthy` because of it, and those with a target in a cluster, or in that of
 *  an agent, that does not have the version. */
export function listAffected(report: AnswerFields, name: string): readonly AnswerFields[] {
  const [kind, place] = [name.split('/')[0], name.slice(name.indexOf('/') + 1)];
  const isPlace = kind === 'cluster' || kind === 'agent';
  return listOf(report, 'certificates').filter(
    (certificate) =>
      textOf(certificate, 'cause') === name || (isPlace && listOpenTargets(certificate, place).length > 0),
  );
}

/** The targets of a certificate in a cluster that are not `Healthy`. */
export function listOpenTargets(certificate: AnswerFields, cluster: string): readonly AnswerFields[] {
  return listOf(certificate, 'targets').filter(
    (target) => textOf(target, 'health') !== 'Healthy' && textOf(target, 'target').startsWith(`${cluster}/`),
  );
}
