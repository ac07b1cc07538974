// Makes bearer tokens for EKS: presigned GetCallerIdentity requests, by which EKS asks STS who calls.
import { SignatureV4 } from '@smithy/signature-v4';
import { once } from '../../async/promise-cache.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadToken } from '../../ports/cluster.ts';
import { Sha256 } from '../aws/sha256.ts';

/** AWS credentials that a token is signed with. */
export interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** End of their validity. Absent: they do not expire. */
  readonly expiration?: Date;
}

/** What a token is made for. */
export interface TokenOptions {
  /** Name of the cluster in EKS. A token is valid for this cluster only. */
  readonly cluster: string;
  readonly region: string;
  /** Host of STS in the region. */
  readonly stsHost: string;
  readonly clock: Clock;
  /** Returns credentials that are valid now. */
  readonly identify: (signal: AbortSignal) => Promise<Identity>;
}

/** STS accepts a presigned request for 15 minutes, whatever X-Amz-Expires says. */
const lifetimeMs = 15 * 60_000;
/** The X-Amz-Expires that EKS requires, in seconds. */
const expiresIn = 60;
/** A token is replaced this long before it expires, because clocks differ. */
const marginMs = 60_000;

/** Returns a function that reads the current token. It returns the same token until a minute before that
 *  expires. */
export function makeToken(options: TokenOptions): ReadToken {
  const { clock, identify } = options;
  const make = async (signal: AbortSignal) => {
    const now = clock.now();
    const identity = await identify(signal);
    const ends = identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
    const token = await presign(options, identity, now);
    return { token, until: Math.min(now.getTime() + lifetimeMs, ends) };
  };
  const current = once(make, { isFresh: ({ until }) => until - clock.now().getTime() > marginMs });
  return async (signal) => (await current(signal)).token;
}

async function presign(
  { cluster, region, stsHost: hostname }: TokenOptions,
  credentials: Identity,
  signingDate: Date,
): Promise<string> {
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 });
  const request = {
    method: 'GET',
    protocol: 'https:',
    hostname,
    path: '/',
    query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
    headers: { host: hostname, 'x-k8s-aws-id': cluster },
  };
  const { query = {} } = await signer.presign(request, { expiresIn, signingDate });
  const fields = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
  const url = `https://${hostname}/?${new URLSearchParams(fields).toString()}`;
  return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`;
}
