// Signs a POST to an AWS service that few call, so that no client of the SDK is loaded for it.
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from './sha256.ts';

/** AWS credentials. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Where it goes, and who signs. */
export interface SignedService {
  /** The service's name in hosts and signatures, such as `sns`. */
  readonly service: string;
  readonly region: string;
  /** URL of the service; absent: that of the region. */
  readonly endpoint?: string | undefined;
  readonly identify: () => Promise<Credentials>;
}

/** A request with its signature. */
export interface SignedPost {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Signs a POST to the root of the service (Signature Version 4).
 *  @param headers Beside `host`; `content-type` must be there.
 *  @throws what `identify` throws. */
export async function signAwsPost(
  { service, region, endpoint, identify }: SignedService,
  { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  now: Date,
): Promise<SignedPost> {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = new URL(endpoint ?? `https://${service}.${region}.${domain}`);
  const { accessKeyId, secretAccessKey, sessionToken } = await identify();
  const credentials = {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
  const signer = new SignatureV4({ service, region, sha256: Sha256, credentials });
  const request = {
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: '/',
    headers: { host: url.host, ...headers },
    body,
  };
  const signed = await signer.sign(request, { signingDate: now });
  return { url, headers: signed.headers, body };
}
