// What a user writes of where a certificate is served: `certificates[].probe`, and `addresses` of its targets.
import * as z from 'zod';
import { formatEndpoint, parseEndpoint } from '../certificate/endpoint.ts';
import { parseName } from '../certificate/name-parsing.ts';
import type { ProbeSpec } from '../certificate/spec.ts';
import { mapping } from './fields.ts';
import { describeInput } from './problems.ts';

const mostAddresses = 1_000;

const endpoint = z.string().transform((text, context) => {
  const parsed = parseEndpoint(text);
  if (parsed) return parsed;
  const right = 'write such as 203.0.113.7, 203.0.113.7:8443 or "[2001:db8::7]:8443"';
  context.addIssue({ code: 'custom', message: `${describeInput(text)} is no address; ${right}` });
  return z.NEVER;
});

const servedName = z.string().transform((text, context) => {
  const parsed = parseName(text);
  if ('name' in parsed && !parsed.name.startsWith('*.')) return parsed.name;
  const message = 'name' in parsed ? 'is a wildcard; write a name that it covers' : parsed.problem;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const port = 'is no port; write a whole number from 1 to 65535';

const endpoints = (ifEmpty: string) =>
  z
    .array(endpoint)
    .min(1, `is empty; ${ifEmpty}`)
    .max(mostAddresses, `has more than ${mostAddresses}; make several certificates of it`)
    .optional();

const look = mapping({
  addresses: endpoints('write addresses, leave them out to ask DNS, or write probe: false').describe(
    'Addresses, with ports where they differ, to look at instead of those in DNS; may be private ones',
  ),
  port: z
    .int(port)
    .min(1, port)
    .max(65_535, port)
    .optional()
    .describe('Where TLS is served; 443 where absent'),
  names: z
    .array(servedName)
    .min(1, 'is empty; write names, or leave them out')
    .optional()
    .describe('Names to look at instead of domains, such as one that a wildcard covers'),
});

/** Where to look at what is served, or that nobody does. */
export const probe = z
  .union([z.literal(false), look], {
    error: ({ input }) =>
      `is ${describeInput(input)}; write false, or a mapping of addresses, port and names`,
  })
  .optional()
  .describe(
    'Where to look at which certificate is served; absent: at what DNS says of the domains; false: nowhere',
  );

/** What a target says of where it is served. */
export const whereServed = {
  addresses: endpoints('write addresses, or leave them out').describe(
    'Where this target is served, with ports where they differ: looked at beside what probe says, and told apart',
  ),
};

/** What `probe` reads as the same. */
export function writeProbe(spec: ProbeSpec | false): object | false {
  if (spec === false) return false;
  return { ...spec, ...writeAddresses(spec) };
}

/** What `addresses` reads as the same; nothing where there are none. */
export function writeAddresses({ addresses }: Pick<ProbeSpec, 'addresses'>): object {
  return addresses ? { addresses: addresses.map((one) => formatEndpoint(one)) } : {};
}
