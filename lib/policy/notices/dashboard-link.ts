// Links to the dashboard that AWS shows.

/** Domain of the console of a region; `undefined` in a partition whose console we do not know. */
function domainOf(region: string): string | undefined {
  if (region.startsWith('cn-')) return 'amazonaws.cn';
  if (region.startsWith('us-gov-')) return 'amazonaws-us-gov.com';
  return /^(eusc|us-iso|eu-iso)/.test(region) ? undefined : 'aws.amazon.com';
}

/** URL of a dashboard of CloudWatch; `undefined` without a dashboard or a region, and in a partition whose
 *  console we do not know. */
export function dashboardLink({
  dashboard,
  region,
}: {
  readonly dashboard?: string | undefined;
  readonly region?: string | undefined;
}): string | undefined {
  if (dashboard === undefined || region === undefined) return undefined;
  const domain = domainOf(region);
  if (domain === undefined) return undefined;
  const host = [region, 'console', domain].join('.');
  const name = encodeURIComponent(dashboard);
  return `https://${host}/cloudwatch/home?region=${region}#dashboards/dashboard/${name}`;
}
