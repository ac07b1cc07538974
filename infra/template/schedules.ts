// Reads the schedules of a template (infra/template/schedules.yml).
import type { Resources } from './permissions.ts';
import { checkRate, readRate } from './rates.ts';

/** One sentence for each schedule that is not a rate of 5 minutes or more. */
export function checkSchedules(resources: Resources): readonly string[] {
  return Object.entries(resources)
    .filter(([, resource]) => resource.Type === 'AWS::Scheduler::Schedule')
    .flatMap(([name, { Properties }]) => {
      const rate = Properties?.ScheduleExpression;
      const problem = checkRate(rate);
      return problem === undefined ? [] : [`${name}: "${String(rate)}" ${problem}`];
    });
}

/** Environment variables that tell functions how often schedules call them (lib/settings/functions.ts). For a
 *  schedule with a condition that does not hold, CloudFormation writes an empty text, which counts as
 *  absent. */
export function intervalsOf(resources: Resources): Readonly<Record<string, unknown>> {
  const schedules = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::Scheduler::Schedule');
  return Object.fromEntries(
    schedules.map(([name, { Properties, Condition }]) => {
      const variable = `CERTRELAY_${name.replace(/Schedule$/, '').toUpperCase()}_INTERVAL_MINUTES`;
      const minutes = String(readRate(Properties?.ScheduleExpression) ?? '');
      return [variable, Condition === undefined ? minutes : { 'Fn::If': [Condition, minutes, ''] }];
    }),
  );
}
