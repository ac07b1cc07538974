// What a deploy of today changes in the stack of the version before (template.json, as that version packaged
// it): nothing is taken away or made anew, and whatever people or their rules can see stands in the
// changelog.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readCallEvent } from '../../lib/requests/event.ts';
import { readPackagedService, type Template } from '../infra/packaged.ts';

type Resource = Template['Resources'][string];

const folder = import.meta.dirname;
const before: Template = JSON.parse(await readFile(join(folder, 'template.json'), 'utf8'));
const { template: after } = await readPackagedService();
const changelog = await readFile(join(folder, '../../docs/changelog.md'), 'utf8');
/** Lines of all versions after the one before; a line that goes on is one. */
const lines = changelog.split(/^- /m).slice(1);

/** Resources, and which properties changed, as `IssueRole Policies`; `IssueErrors new` for one that was not
 *  there. What the code is, every version changes. */
const changes = Object.entries(after.Resources).flatMap(([id, resource]) => {
  const old = before.Resources[id];
  if (!old) return [`${id} new`];
  const names = new Set([...Object.keys(old.Properties), ...Object.keys(resource.Properties)]);
  const changed = [...names].filter((name) => !isSame(old.Properties[name], resource.Properties[name]));
  return changed.filter((name) => name !== 'Code').map((name) => `${id} ${name}`);
});

/** Each change has its line in the changelog, told by words in it; or nobody's rule can see it, and why. */
const covered: readonly (readonly [change: RegExp, line: RegExp | 'unseen', why?: string])[] = [
  [/^Dashboard(LambdaFunction|Role)? new$/, /function `dashboard`/],
  [/^AnnounceHealth new$/, /`eventBus` is set, `status` tells/],
  [/^StatusLambdaFunction Timeout$/, /timeout of `status`/],
  [/^\w+LambdaFunction Environment$/, 'unseen', 'settings that the functions tell each other'],
  [/^Announce\w+ /, /role policy for each function that puts events/],
  [/^\w*Role\w* Policies$|^\w*RolePolicy|Policy PolicyDocument$/, /\brole\b|_validation-persist|IAM/i],
  [/^Notif|^Notice|^PublishOn|OKActions$/, /`notify`/],
  [/^Retire(LambdaFunction|Role) new$/, /function `retire`/],
  [/^HttpApiRoute.*Name/, /second route/],
  [/^RegisterLambdaFunction Description$/, 'unseen', 'words for a person who looks at the stack'],
  [/^HttpApi(Stage|AccessLog|LogGroup)/, /access log/i],
  [/Alarm|Errors|Filter|Refus|Flood|^Degraded|Failed |^MessagesDead/, /alarm/i],
  [/^\w+Schedule Target$/, /Schedules call functions with `\{"schedule": true\}`/],
  [/^StatusSchedule /, /`status` runs every 15 minutes by default/],
  [/LogGroup/, /\blogs?\b/i],
];

/** Alarms that others took the place of, and what counted for them. Nothing is kept in either. */
const replaced =
  /^(CertificateFailed|DeliveryFailed|CertificateNotServed|AgentSilent|(Deploy|Probe|Status)Failed|(Issue|Deploy)MessagesDead|(Issue|Deploy|Probe|Status)Silent)$/;
const countedForThem = ['AWS::CloudWatch::Alarm', 'AWS::Logs::MetricFilter'];

it('takes no resource away but alarms that the changelog names, and makes none conditional that was not', () => {
  const gone = Object.keys(before.Resources).filter(
    (id) => after.Resources[id]?.Type !== before.Resources[id]?.Type,
  );
  const { Resources } = before;
  expect(gone.filter((id) => !countedForThem.includes(Resources[id]?.Type ?? ''))).toEqual([]);
  const alarms = gone.filter((id) => Resources[id]?.Type === 'AWS::CloudWatch::Alarm');
  expect(alarms.filter((id) => !replaced.test(id))).toEqual([]);
  for (const id of alarms)
    expect(
      lines.filter((line) => line.includes(`\`${id}\``)),
      id,
    ).not.toEqual([]);
  const conditional = Object.entries(before.Resources).filter(
    ([id, { Condition, DeletionPolicy }]) =>
      after.Resources[id] !== undefined &&
      !isSame(
        [Condition, DeletionPolicy],
        [after.Resources[id]?.Condition, after.Resources[id]?.DeletionPolicy],
      ),
  );
  expect(conditional.map(([id]) => id)).toEqual([]);
  for (const [name, condition] of Object.entries(before.Conditions))
    expect(after.Conditions[name], name).toEqual(condition);
});

/** By type: what CloudFormation makes a resource anew for, and with a generated secret another value. */
const identities: Readonly<Record<string, readonly string[]>> = {
  'AWS::ApiGatewayV2::Api': ['ProtocolType'],
  'AWS::ApiGatewayV2::Stage': ['ApiId', 'StageName'],
  'AWS::CloudWatch::Alarm': ['AlarmName'],
  'AWS::Events::Rule': ['Name', 'EventBusName'],
  'AWS::IAM::Role': ['RoleName', 'Path'],
  'AWS::Lambda::EventSourceMapping': ['EventSourceArn', 'StartingPosition'],
  'AWS::Lambda::Function': ['FunctionName', 'PackageType'],
  'AWS::Logs::LogGroup': ['LogGroupName'],
  'AWS::Logs::MetricFilter': ['LogGroupName', 'FilterName'],
  'AWS::S3::Bucket': ['BucketName'],
  'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
  'AWS::Scheduler::Schedule': ['Name', 'GroupName'],
  'AWS::SecretsManager::Secret': ['Name', 'GenerateSecretString', 'SecretString'],
};

it('makes nothing anew: no name changes, and no generated secret gets another value', () => {
  const identityOf = ({ Type, Properties }: Resource) =>
    (identities[Type] ?? []).map((name) => Properties[name]);
  const madeAnew = Object.entries(before.Resources).filter(([id, old]) => {
    const resource = after.Resources[id];
    return resource !== undefined && !isSame(identityOf(old), identityOf(resource));
  });
  expect(madeAnew.map(([id]) => id)).toEqual([]);
});

it('changes nothing that the changelog is silent about', () => {
  const silent = changes.filter((change) => {
    const [, line] = covered.find(([pattern]) => pattern.test(change)) ?? [];
    return line !== 'unseen' && (line === undefined || !lines.some((text) => line.test(text)));
  });
  // Say it in docs/changelog.md, and here which words of that line it is.
  expect(silent).toEqual([]);
});

it('every queue takes what the version before sends, and every function is called as before', () => {
  const callers = [
    'AWS::Lambda::EventSourceMapping',
    'AWS::Scheduler::Schedule',
    'AWS::Events::Rule',
    'AWS::SQS::Queue',
  ];
  const touched = changes.filter((change) => {
    const [id = '', property] = change.split(' ');
    // How often, when and why is no matter of how.
    const isTiming = /^(ScheduleExpression|FlexibleTimeWindow|Description)$/.test(property ?? '');
    if (after.Resources[id]?.Type === 'AWS::Scheduler::Schedule' && property === 'Target')
      return !isSame(callOf(before, id), callOf(after, id));
    return property !== 'new' && !isTiming && callers.includes(after.Resources[id]?.Type ?? '');
  });
  expect(touched).toEqual([]);
});

/** A schedule's target with what it asks the function for, without how the call is to end. */
function callOf({ Resources }: Template, id: string): object {
  const target = Object(Resources[id]?.Properties.Target);
  return { ...target, Input: readCallEvent(JSON.parse(target.Input)).event };
}

/** Whatever the order of keys. */
function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? ''
  );
}
