// Who signed an AWS request: each function has an access key of its own in the sandbox, so the journal can tell.

/** Access key id of a function (or of the person at the terminal: `operator`) in the sandbox. */
export function accessKeyOf(principal: string): string {
  return `AKIASANDBOX${principal.toUpperCase()}`;
}

/** The principal, service and region named by a SigV4 `Authorization` header; `undefined` where the request is not signed. */
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
  const principal = key.startsWith('AKIASANDBOX') ? key.slice('AKIASANDBOX'.length).toLowerCase() : 'unknown';
  return { principal, service, region, accessKey: key };
}
