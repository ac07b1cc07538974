import { describe, expect, it } from 'vitest';
import { billMonth } from '../../../lib/policy/cost/bill.ts';

describe('a month’s bill', () => {
  it('has each service, with and without what an account has free', () => {
    const use = { secret: 10, secretCall: 20_000, alarmMetric: 12, lambdaRequest: 5_000 };
    expect(billMonth(use, 'us-east-1')).toEqual({
      region: 'us-east-1',
      usd: 5.301,
      usdWithFreeTier: 4.3,
      services: [
        { service: 'Secrets Manager', usd: 4.1, usdWithFreeTier: 4.1 },
        { service: 'CloudWatch', usd: 1.2, usdWithFreeTier: 0.2 },
        { service: 'Lambda', usd: 0.001, usdWithFreeTier: 0 },
      ],
      lines: [
        { service: 'Secrets Manager', unit: 'secret months', quantity: 10, usd: 4, usdWithFreeTier: 4 },
        { service: 'Secrets Manager', unit: 'API calls', quantity: 20_000, usd: 0.1, usdWithFreeTier: 0.1 },
        { service: 'Lambda', unit: 'requests', quantity: 5_000, usd: 0.001, usdWithFreeTier: 0 },
        { service: 'CloudWatch', unit: 'alarm metrics', quantity: 12, usd: 1.2, usdWithFreeTier: 0.2 },
      ],
    });
  });

  it('takes the prices of the region, and those of us-east-1 where it knows none', () => {
    const logs = { logGb: 10 };
    expect(billMonth(logs, 'eu-central-1')).toMatchObject({ region: 'eu-central-1', usd: 6.3 });
    expect(billMonth(logs, 'ap-south-2')).toMatchObject({ region: 'us-east-1', usd: 5 });
    expect(billMonth(logs, undefined)).toMatchObject({ region: 'us-east-1', usdWithFreeTier: 2.5 });
  });
});
