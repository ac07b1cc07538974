// The bearer token of EKS: a presigned GetCallerIdentity request, by which the cluster asks STS who is calling.
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { once } from '../../async/promise-cache.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadToken } from '../../ports/cluster.ts';

/** What a token is signed with. */
export interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Absent: for as long as the process lives. */
  readonly expiration?: Date;
}

export interface TokenOptions {
  /** EKS's name of the cluster: a token for one is good for no other. */
  readonly cluster: string;
  readonly region: string;
  readonly clock: Clock;
  readonly identify: (signal: AbortSignal) => Promise<Identity>;
}

/** STS takes a presigned request for 15 minutes, whatever its X-Amz-Expires says; 60 is what EKS expects there. */
const lifetimeMs = 15 * 60_000;
const expiresIn = 60;
/** For clocks that differ. */
const marginMs = 60_000;

/** Gives the same token for as long as it is good for a minute more, and then another. */
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
  { cluster, region }: TokenOptions,
  credentials: Identity,
  signingDate: Date,
): Promise<string> {
  const hostname = `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
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

/** SHA-256, and HMAC where there is a key, in the form that the signer asks for. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', bytes(key));
  }

  update(part: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(part));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

function bytes(part: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof part === 'string') return Buffer.from(part);
  return ArrayBuffer.isView(part)
    ? new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
    : new Uint8Array(part);
}
