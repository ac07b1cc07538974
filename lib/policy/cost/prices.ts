// AWS's list prices of what an installation uses, in one place.
//
// Read in November 2026. Prices of both regions: cost estimates that infracost (infracost.io) made of AWS's
// price list. Free tiers, and prices of us-east-1: aws.amazon.com/cloudwatch/pricing, /lambda/pricing,
// /secrets-manager/pricing, /eventbridge/pricing and /sqs/pricing. Only what never ends counts as free tier,
// not the first year’s nor credits of new accounts. Volume discounts begin beyond any installation.

/** Regions with prices here. Others cost a little more or less: they are counted as us-east-1. */
export const pricedRegions = ['us-east-1', 'eu-central-1'] as const;
/** One of `pricedRegions`. */
export type PricedRegion = (typeof pricedRegions)[number];

/** When the prices were read. */
export const pricesReadAt = '2026-11';

/** Services in the order of a bill. */
export type PricedService =
  | 'Secrets Manager'
  | 'KMS'
  | 'Lambda'
  | 'CloudWatch'
  | 'EventBridge'
  | 'SQS'
  | 'Route 53';

/** The price of one thing. */
export interface ListPrice {
  readonly service: PricedService;
  /** What is counted, as a plural: `API calls`. */
  readonly unit: string;
  /** US dollars for one, without tax. */
  readonly usd: Readonly<Record<PricedRegion, number>>;
  /** How many an account has free each month. */
  readonly free: number;
}

const perMillion = (usd: number) => everywhere(usd / 1_000_000);

/** The prices. What lasts is counted in months: half a month of one is 0.5. */
export const listPrices = {
  /** Also while its deletion is scheduled it costs nothing; each replica counts. */
  secret: { service: 'Secrets Manager', unit: 'secret months', usd: everywhere(0.4), free: 0 },
  secretCall: { service: 'Secrets Manager', unit: 'API calls', usd: everywhere(0.05 / 10_000), free: 0 },
  /** A key of one's own. AWS's key for Secrets Manager costs nothing, nor do its requests. */
  kmsKey: { service: 'KMS', unit: 'key months', usd: everywhere(1), free: 0 },
  kmsRequest: { service: 'KMS', unit: 'requests', usd: everywhere(0.03 / 10_000), free: 20_000 },
  lambdaRequest: { service: 'Lambda', unit: 'requests', usd: perMillion(0.2), free: 1_000_000 },
  /** arm64. */
  lambdaGbSecond: { service: 'Lambda', unit: 'GB-seconds', usd: everywhere(0.0000133334), free: 400_000 },
  /** Each metric of an alarm: one of a formula over three counts three times. */
  alarmMetric: { service: 'CloudWatch', unit: 'alarm metrics', usd: everywhere(0.1), free: 10 },
  customMetric: { service: 'CloudWatch', unit: 'custom metrics', usd: everywhere(0.3), free: 10 },
  dashboard: { service: 'CloudWatch', unit: 'dashboards', usd: everywhere(3), free: 3 },
  /** The free 5 GB are for logs taken in, kept and searched together. */
  logGb: { service: 'CloudWatch', unit: 'GB of logs', usd: regional(0.5, 0.63), free: 5 },
  logGbMonth: { service: 'CloudWatch', unit: 'GB months of logs', usd: regional(0.03, 0.0324), free: 0 },
  /** Events of AWS's own cost nothing. */
  event: { service: 'EventBridge', unit: 'events', usd: perMillion(1), free: 0 },
  schedulerCall: { service: 'EventBridge', unit: 'scheduled calls', usd: perMillion(1), free: 14_000_000 },
  queueRequest: { service: 'SQS', unit: 'requests', usd: perMillion(0.4), free: 1_000_000 },
  /** Changing records costs nothing. */
  zoneChange: { service: 'Route 53', unit: 'changes of a zone', usd: everywhere(0), free: 0 },
} as const satisfies Readonly<Record<string, ListPrice>>;

/** A key of `listPrices`. */
export type PricedItem = keyof typeof listPrices;

function everywhere(usd: number): ListPrice['usd'] {
  return regional(usd, usd);
}

function regional(virginia: number, frankfurt: number): ListPrice['usd'] {
  return { 'us-east-1': virginia, 'eu-central-1': frankfurt };
}
