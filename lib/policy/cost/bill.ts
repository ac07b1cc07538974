// What a month's use costs at AWS, by its list prices, with and without the free tier.
import {
  listPrices,
  type PricedItem,
  type PricedRegion,
  type PricedService,
  pricedRegions,
} from './prices.ts';

/** How much of each thing is used in a month. What is absent is not used. */
export type MonthlyUse = Readonly<Partial<Record<PricedItem, number>>>;

/** A price in US dollars, without tax, rounded to a hundredth of a cent. */
export interface Price {
  /** If the account uses up its free tier elsewhere. */
  readonly usd: number;
  /** If the account uses nothing else of its free tier. */
  readonly usdWithFreeTier: number;
}

/** One line of a bill. */
export interface BillLine extends Price {
  readonly service: PricedService;
  readonly unit: string;
  readonly quantity: number;
}

/** A month's bill. */
export interface Bill extends Price {
  /** Whose prices were taken. */
  readonly region: PricedRegion;
  /** The services that are used, the dearest first. */
  readonly services: readonly (Price & { readonly service: PricedService })[];
  /** What is used of them, in the order of the price list. */
  readonly lines: readonly BillLine[];
}

/** Prices a month's use.
 *  @param region Where it is used; a region without prices here is counted as us-east-1. */
export function billMonth(use: MonthlyUse, region: string | undefined): Bill {
  const priced = pricedRegions.find((known) => known === region) ?? 'us-east-1';
  const items = Object.keys(listPrices) as readonly PricedItem[];
  const lines = items.flatMap((item): readonly BillLine[] => {
    const quantity = use[item] ?? 0;
    return quantity > 0 ? [priceLine(item, quantity, priced)] : [];
  });
  const services = [...Map.groupBy(lines, ({ service }) => service)]
    .map(([service, own]) => ({ service, ...sum(own) }))
    .toSorted((one, other) => other.usd - one.usd);
  return { region: priced, ...sum(lines), services, lines };
}

function priceLine(item: PricedItem, quantity: number, region: PricedRegion): BillLine {
  const { service, unit, usd, free } = listPrices[item];
  return {
    service,
    unit,
    quantity: round(quantity),
    usd: round(quantity * usd[region]),
    usdWithFreeTier: round(Math.max(0, quantity - free) * usd[region]),
  };
}

function sum(prices: readonly Price[]): Price {
  const add = (of: (price: Price) => number) => round(prices.reduce((total, price) => total + of(price), 0));
  return { usd: add(({ usd }) => usd), usdWithFreeTier: add(({ usdWithFreeTier }) => usdWithFreeTier) };
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
