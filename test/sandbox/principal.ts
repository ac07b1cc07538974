// Who signed an AWS request: each function has an access key of its own in the sandbox, so the journal can
// tell.

/** Access key id of a function (or of the person at the terminal: `operator`) in the sandbox. */
export function accessKeyOf(principal: string): string {
  return `AKIASANDBOX${principal.toUpperCase()}`;
}

/** Secret of each of these keys. */
export const ownSecretKey = 'sandbox';

/** Whose such an access key is; `undefined` where it is another's. */
export function principalOf(accessKey: string): string | undefined {
  const prefix = accessKeyOf('');
  return accessKey.startsWith(prefix) ? accessKey.slice(prefix.length).toLowerCase() : undefined;
}

/** The principal, service and region named by a SigV4 `Authorization` header; `undefined` where the request
 *  is not signed. */
export function readSignature(authorization: string | undefined):
  | {
      readonly principal: string;
      readonly service: string;
      readonly region: string;
      readonly accessKey: string;
    }
  | undefined {
  const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(
    authorization ?? '',
  );
  if (!match) return undefined;
  const [, key = '', region = '', service = ''] = match;
  return { principal: principalOf(key) ?? 'unknown', service, region, accessKey: key };
}
