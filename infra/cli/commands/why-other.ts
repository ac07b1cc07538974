// `certrelay why cluster/prod`: the story of what has a health beside certificates.
import { countOf } from '../../../lib/policy/words.ts';
import { type AnswerFields, listOf, textOf, timeOf } from '../answer.ts';
import { type ExitCode, exitCodes } from '../errors.ts';
import { findOthers, listAffected, listOpenTargets, type OtherSubject } from '../others.ts';
import { printResult, reportFailures, suggest } from '../print.ts';
import type { CommandSession } from '../session.ts';
import { formatStory, type StoryPart } from '../story.ts';
import { formatTime } from '../text.ts';

/** Tells it: its health and why, which certificates and targets it affects, and of an issuer whose orders
 *  wait or were refused. */
export async function tellOther(session: CommandSession, name: string): Promise<ExitCode> {
  const manner = { isRead: true };
  const [status, orders] = await Promise.all([
    session.call('status', {}, manner),
    name.startsWith('issuer/') ? session.call('issue', { dryRun: true }, manner) : {},
  ]);
  const affected = listAffected(status, name);
  const limited = listLimited(orders, name);
  const code = reportFailures(session, status, withFailuresOf(orders, [...affected, ...limited]));
  const [other] = findOthers(status, [name]);
  if (!other) return code;
  await printResult(session, {
    data: {
      subject: name,
      ...other.fields,
      certificates: affected,
      ...(limited.length > 0 ? { limited } : {}),
    },
    text: (style) =>
      formatStory(
        [tellHealth(other, affected), ...tellAffected(other, affected), ...tellLimits(limited)],
        style,
      ),
    names: [name],
  });
  suggest(session, [textOf(other.fields, 'command')]);
  const isFine = textOf(other.fields, 'health') !== 'Degraded';
  return code === exitCodes.fine && !isFine ? exitCodes.failed : code;
}

/** The orders at an issuer that wait for a limit. An installation of before does not say the issuer of an
 *  order: what may be another's is not told. */
function listLimited(orders: AnswerFields, name: string): readonly AnswerFields[] {
  return listOf(orders, 'certificates').filter(
    (line) => textOf(line, 'reason') === 'RateLimited' && `issuer/${textOf(line, 'issuer')}` === name,
  );
}

/** The report with the failures of these certificates, and of what is none: that others fail is another
 *  story. */
function withFailuresOf(orders: AnswerFields, told: readonly AnswerFields[]): AnswerFields {
  const others = new Set(listOf(orders, 'certificates').map((line) => textOf(line, 'name')));
  for (const one of told) others.delete(textOf(one, 'name'));
  return { failures: listOf(orders, 'failures').filter((one) => !others.has(textOf(one, 'what'))) };
}

function tellHealth({ name, fields }: OtherSubject, affected: readonly AnswerFields[]): StoryPart {
  const health = textOf(fields, 'health');
  const when = (key: string) => {
    const at = timeOf(fields, key);
    return at ? formatTime(at) : '';
  };
  return {
    title: name,
    lines: [
      ['health', `${health}, ${textOf(fields, 'reason')}`],
      ['why', textOf(fields, 'message')],
      ['since', when('since')],
      ['last seen', when('lastSeen')],
      ['last pass', when('lastPass')],
      ['version', textOf(fields, 'version')],
      [
        'affects',
        health === 'Healthy' && affected.length === 0 ? '' : countOf(affected.length, 'certificate'),
      ],
    ],
  };
}

/** Certificates that are told one by one. */
const mostTold = 20;

function tellAffected({ name }: OtherSubject, affected: readonly AnswerFields[]): readonly StoryPart[] {
  const place = name.slice(name.indexOf('/') + 1);
  const parts = affected.slice(0, mostTold).map((certificate): StoryPart => {
    const targets = listOpenTargets(certificate, place);
    return {
      title: `Certificate ${textOf(certificate, 'name')}`,
      lines: [
        ['health', `${textOf(certificate, 'health')}, ${textOf(certificate, 'reason')}`],
        ['why', textOf(certificate, 'message')],
        ...targets.map((target) => ['target', describeTarget(target, certificate)] as const),
      ],
    };
  });
  const rest = affected.length - parts.length;
  return rest > 0 ? [...parts, { title: `and ${countOf(rest, 'more certificate')}`, lines: [] }] : parts;
}

/** The target, and what is not told of it before. */
function describeTarget(target: AnswerFields, certificate: AnswerFields): string {
  const name = textOf(target, 'target');
  const message = textOf(target, 'message');
  if (message === textOf(certificate, 'message')) return name;
  return message.startsWith(name) ? message : `${name}: ${message}`;
}

function tellLimits(limited: readonly AnswerFields[]): readonly StoryPart[] {
  if (limited.length === 0) return [];
  const lines = limited
    .slice(0, mostTold)
    .map((line) => [textOf(line, 'name'), textOf(line, 'message')] as const);
  return [{ title: 'Orders that wait for a limit of a CA', lines }];
}
