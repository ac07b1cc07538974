// Reads the report of `deploy`: a row for each target.
import { type AnswerFields, listOf, textOf, textsOf } from './answer.ts';
import { localizeTimes } from './text.ts';

/** One target of a report; of a certificate without targets, itself. */
export interface DeliveryRow {
  readonly certificate: string;
  /** Empty if the certificate has none. */
  readonly target: string;
  readonly outcome: string;
  readonly action: string;
  readonly restarted: readonly string[];
  readonly message: string;
  /** Why there is nothing to deliver, if it is not for want of targets. */
  readonly reason: string;
}

/** Every target of a report, and every Secret whose target is gone. */
export function listDeliveries(report: AnswerFields): readonly DeliveryRow[] {
  const certificates = listOf(report, 'certificates').flatMap((certificate): readonly DeliveryRow[] => {
    const name = textOf(certificate, 'name');
    const targets = listOf(certificate, 'targets');
    if (targets.length > 0) return targets.map((target) => readRow(name, target));
    return [{ ...readRow(name, certificate), target: '', outcome: textOf(certificate, 'decision') }];
  });
  const pruned = listOf(report, 'pruned').map((one): DeliveryRow => {
    const row = readRow(textOf(one, 'certificate'), one);
    return { ...row, action: 'prune' };
  });
  return [...certificates, ...pruned];
}

function readRow(certificate: string, fields: AnswerFields): DeliveryRow {
  return {
    certificate,
    target: textOf(fields, 'target'),
    outcome: textOf(fields, 'outcome'),
    action: textOf(fields, 'action'),
    restarted: textsOf(fields, 'restarted'),
    message: localizeTimes(textOf(fields, 'message')),
    reason: textOf(fields, 'reason'),
  };
}
