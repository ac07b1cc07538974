// The link to the dashboard in AWS's console.
import { expect, test } from 'vitest';
import { dashboardLink } from '../../../lib/policy/notices/dashboard-link.ts';
import { readSettings } from '../../../lib/settings/functions.ts';

const path = '/cloudwatch/home?region=';

test.each([
  ['eu-central-1', 'https://eu-central-1.console.aws.amazon.com'],
  ['cn-north-1', 'https://cn-north-1.console.amazonaws.cn'],
  ['us-gov-west-1', 'https://us-gov-west-1.console.amazonaws-us-gov.com'],
])('in %s it leads to the console of its partition', (region, host) => {
  const settings = readSettings({ CERTRELAY_DASHBOARD: 'certrelay-prod', AWS_REGION: region });
  expect(dashboardLink(settings)).toBe(`${host}${path}${region}#dashboards/dashboard/certrelay-prod`);
});

test('there is none without a dashboard, without a region, and where the console is not known', () => {
  expect(dashboardLink({ region: 'eu-central-1' })).toBeUndefined();
  expect(dashboardLink({ dashboard: 'certrelay' })).toBeUndefined();
  for (const region of ['eusc-de-east-1', 'us-iso-east-1', 'us-isob-east-1', 'eu-isoe-west-1'])
    expect(dashboardLink({ dashboard: 'certrelay', region })).toBeUndefined();
});

test('the name is one that CloudWatch takes', () => {
  expect(() => readSettings({ CERTRELAY_DASHBOARD: 'a#b' })).toThrow(/CERTRELAY_DASHBOARD must be the name/);
});
