// Fills the dashboard of dashboard.yml: its widgets, the alarms of the stack, and the functions whose logs it
// searches.
import { functionId, type Resources } from './permissions.ts';

/** Fills the dashboard of a template in place.
 *  @param prefix The installation's: the dimension of its metrics.
 *  @param functions Names of all functions.
 *  @throws Error if the template has no dashboard. */
export function fillDashboard(resources: Resources, prefix: string, functions: readonly string[]): void {
  const dashboard = resources.Dashboard;
  if (dashboard?.Type !== 'AWS::CloudWatch::Dashboard') {
    throw new Error('infra/template/dashboard.yml has no resource Dashboard');
  }
  const alarms = Object.entries(resources).flatMap(([id, { Type, Condition }]) =>
    Type === 'AWS::CloudWatch::Alarm' && Condition === undefined ? [id] : [],
  );
  const body = {
    variables: [searchVariable],
    widgets: [page, ...metrics(prefix), alarmWidget(alarms), errorWidget(functions), logWidget(functions)],
  };
  const DashboardBody = { 'Fn::Sub': JSON.stringify(body) };
  Object.assign(dashboard, { Properties: { ...dashboard.Properties, DashboardBody } });
}

const region = reference('AWS::Region');
/** The name of a function. */
const nameOf = (name: string) => reference(functionId(name));

/** The page of the function `dashboard`. */
const page = {
  type: 'custom',
  ...place(0, 0, 24, 18),
  properties: {
    title: 'Certificates',
    endpoint: reference(`${functionId('dashboard')}.Arn`),
    updateOn: { refresh: true, resize: false, timeRange: false },
  },
};

/** What stands for a certificate's name in the query, until a person writes one: CloudWatch replaces it. */
const searchWord = 'any-certificate-name';
const searchVariable = {
  type: 'pattern',
  id: 'certificate',
  label: 'Certificate in the log',
  pattern: searchWord,
  inputType: 'input',
  defaultValue: '.',
  visible: true,
};

/** Metrics that `status` writes (functions/runtime/metrics.ts). */
function metrics(prefix: string): readonly object[] {
  const graph = (title: string, x: number, names: readonly string[]) => ({
    type: 'metric',
    ...place(x, 18, 8, 6),
    properties: {
      title,
      region,
      view: 'timeSeries',
      stat: 'Maximum',
      period: 900,
      metrics: names.map((name) => ['Certrelay', name, 'Installation', prefix]),
    },
  });
  return [
    graph('Needs a person', 0, ['DegradedCertificates', 'DegradedOthers', 'SuspendedCertificates']),
    graph('Days until the first certificate ends', 8, ['SoonestExpiryDays']),
    graph('Certificates, and targets that wait', 16, ['Certificates', 'PendingTargets']),
  ];
}

function alarmWidget(alarms: readonly string[]): object {
  return {
    type: 'alarm',
    ...place(0, 24, 12, 5),
    properties: { title: 'Alarms', alarms: alarms.map(arnOfAlarm) },
  };
}

/** By the alarm's name, which is what its resource refers to. */
function arnOfAlarm(id: string): string {
  const place = ['Partition', 'Region', 'AccountId'].map((name) => reference(`AWS::${name}`));
  const [partition, region, account] = place;
  return `arn:${partition}:cloudwatch:${region}:${account}:alarm:${reference(id)}`;
}

function errorWidget(functions: readonly string[]): object {
  return {
    type: 'metric',
    ...place(12, 24, 12, 5),
    properties: {
      title: 'Errors of functions',
      region,
      view: 'timeSeries',
      stat: 'Sum',
      period: 900,
      metrics: functions.map((name) => ['AWS/Lambda', 'Errors', 'FunctionName', nameOf(name)]),
    },
  };
}

/** What all functions logged of certificates with a name like that of the variable. */
function logWidget(functions: readonly string[]): object {
  const query = [
    ...functions.map((name) => `SOURCE '/aws/lambda/${nameOf(name)}'`),
    'fields @timestamp, level, message, certificate, reason, problem, @log',
    `filter certificate like /${searchWord}/`,
    'sort @timestamp desc',
    'limit 100',
  ].join(' | ');
  return {
    type: 'log',
    ...place(0, 29, 24, 8),
    properties: { title: 'What the log says of a certificate', region, view: 'table', query },
  };
}

/** Where a widget is, on a grid of 24 columns. */
function place(x: number, y: number, width: number, height: number): object {
  return { x, y, width, height };
}

/** What CloudFormation replaces within a text (`Fn::Sub`). */
function reference(what: string): string {
  return `\${${what}}`;
}
