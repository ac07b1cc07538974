// The real CAs that the main job runs with: each asks the sandbox's DNS, and knows nothing yet of the domain
// it is given.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Boulder, locateBoulder } from './parts/boulder.ts';
import { startPebble } from './parts/pebble.ts';
import { freePort } from './parts/process.ts';

/** A CA that runs, and what the sandbox needs to work with it. */
export interface RealAuthority {
  /** URL of its directory (RFC 8555 §7.1.1). */
  readonly directory: string;
  /** PEM file of the authority that its HTTPS certificate comes from. */
  readonly caFile: string;
  /** Port of 127.0.0.1 where it asks DNS. */
  readonly dnsPort: number;
  /** A registered domain that it has issued nothing for. */
  readonly domain: string;
  /** PEM of the roots that it issues under. */
  readonly roots: string;
  stop(): Promise<void>;
}

/** Pebble. @param environment `PEBBLE_…` variables. */
export async function startPebbleForSandbox(
  environment: Readonly<Record<string, string>> = {},
): Promise<RealAuthority> {
  const dnsPort = await freePort();
  const pebble = await startPebble({ dnsServer: `127.0.0.1:${dnsPort}`, strict: true, environment });
  const roots = (await pebble.roots()).join('\n');
  return { ...pebble, dnsPort, domain: newDomain('net'), roots, stop: () => pebble.stop() };
}

/** The Boulder that runs beside the tests, if it asks the sandbox's DNS: `BOULDER_DNS`, as its `up` takes it,
 *  is `127.0.0.1:port` or `suffix=127.0.0.1:port`, for all names or for those under one public suffix.
 *  @throws Error when `BOULDER_DNS` is of another form. */
export function locateBoulderForSandbox(
  environment: NodeJS.ProcessEnv = process.env,
): (() => Promise<RealAuthority>) | undefined {
  const boulder = locateBoulder(environment);
  const { BOULDER_DNS: dns, BOULDER_ROOTS: rootFiles } = environment;
  if (!boulder || !dns || !rootFiles) return undefined;
  const { suffix = 'net', port } =
    /^(?:(?<suffix>[a-z.]+)=)?127\.0\.0\.1:(?<port>\d+)$/.exec(dns)?.groups ?? {};
  if (port === undefined)
    throw new Error(`BOULDER_DNS is neither 127.0.0.1:port nor suffix=127.0.0.1:port: ${dns}`);
  return () => describeBoulder(boulder, { domain: newDomain(suffix), dnsPort: Number(port), rootFiles });
}

async function describeBoulder(
  boulder: Boulder,
  { rootFiles, ...place }: { readonly domain: string; readonly dnsPort: number; readonly rootFiles: string },
): Promise<RealAuthority> {
  const roots = await Promise.all(rootFiles.split(':').map((file) => readFile(file, 'utf8')));
  return { ...boulder, ...place, roots: roots.join('\n'), stop: () => Promise.resolve() };
}

/** Rate limits and reused authorizations go by registered domain, so no two tests share one. */
function newDomain(suffix: string): string {
  return `harness-${randomBytes(6).toString('hex')}.${suffix}`;
}
