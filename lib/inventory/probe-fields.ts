// The schema of where a certificate is served: `certificates[].probe`, and `addresses` of its targets.
import * as z from 'zod';
import { formatEndpoint, parseEndpoint } from '../certificate/endpoint.ts';
import { parseName } from '../certificate/name-parsing.ts';
import type { ProbeSpec } from '../certificate/spec.ts';
import { mapping } from './fields.ts';
import { endpointPattern, zonePattern } from './patterns.ts';
import { describeInput } from './problems.ts';

const mostAddresses = 1_000;

const endpoint = z
  .string()
  .meta({ pattern: endpointPattern })
  .transform((text, context) => {
    const parsed = parseEndpoint(text);
    if (parsed) return parsed;
    const advice = 'use e.g. 203.0.113.7, 203.0.113.7:8443 or "[2001:db8::7]:8443"';
    context.addIssue({ code: 'custom', message: `${describeInput(text)} is not an IP address; ${advice}` });
    return z.NEVER;
  });

const servedName = z
  .string()
  .meta({ pattern: zonePattern })
  .transform((text, context) => {
    const parsed = parseName(text);
    if ('name' in parsed && !parsed.name.startsWith('*.')) return parsed.name;
    const message = 'name' in parsed ? 'is a wildcard; write a name that it covers' : parsed.problem;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const port = 'is not a port; write a whole number from 1 to 65535';

const endpoints = (ifEmpty: string) =>
  z
    .array(endpoint)
    .min(1, `is empty; ${ifEmpty}`)
    .max(mostAddresses, `has more than ${mostAddresses} addresses; split the certificate into several`)
    .optional();

const probeFields = mapping({
  addresses: endpoints('write addresses, leave them out to ask DNS, or write probe: false').describe(
    'IP addresses to probe instead of those in DNS, with a port if it is not the one above; private addresses are allowed',
  ),
  port: z.int(port).min(1, port).max(65_535, port).optional().describe('Port that serves TLS. Default: 443'),
  names: z
    .array(servedName)
    .min(1, 'is empty; write names, or leave them out')
    .optional()
    .describe('Names to probe instead of domains, such as a name that a wildcard covers'),
});

/** `certificates[].probe`: where to probe what is served. `false`:
 *  nowhere. Absent: the addresses of the domains. */
export const probe = z
  .union([z.literal(false), probeFields], {
    error: ({ input }) =>
      `is ${describeInput(input)}; write false, or a mapping of addresses, port and names`,
  })
  .optional()
  .describe(
    'Where to check which certificate is served. Default: at the addresses of the domains in DNS. false: nowhere',
  );

/** The key of a target that lists where that target is served. */
export const addressFields = {
  addresses: endpoints('write addresses, or leave them out').describe(
    'IP addresses, with ports if not 443, where this target is served. They are probed in addition to those of probe, and reported for this target',
  ),
};

/** The value for `probe` that parses back to the same specification. */
export function serializeProbe(spec: ProbeSpec | false): object | false {
  if (spec === false) return false;
  return { ...spec, ...serializeAddresses(spec) };
}

/** The `addresses` key that parses back to the same endpoints. An empty object if there are none. */
export function serializeAddresses({ addresses }: Pick<ProbeSpec, 'addresses'>): object {
  return addresses ? { addresses: addresses.map((address) => formatEndpoint(address)) } : {};
}
