// Words for errors of Node, of the HTTP client and of the AWS SDK, whose own say little to a person.

const closed = 'the connection was closed before the answer';
const late = 'nothing answered in time: check the address, and what is between: firewalls, routes, proxies';

/** What codes of the system and of the HTTP client mean. */
const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing accepts connections there: check the address, and whether its server runs',
  ECONNRESET: closed,
  EPIPE: closed,
  UND_ERR_SOCKET: closed,
  UND_ERR_INFO: closed,
  UND_ERR_CLOSED: closed,
  UND_ERR_DESTROYED: closed,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: closed,
  ETIMEDOUT: late,
  EHOSTUNREACH: late,
  ENETUNREACH: late,
  UND_ERR_CONNECT_TIMEOUT: late,
  UND_ERR_HEADERS_TIMEOUT: late,
  UND_ERR_BODY_TIMEOUT: 'its answer did not end in time',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of its answer are too long',
  ENOTFOUND: 'DNS does not know the name: check the address',
  EAI_AGAIN: 'DNS did not answer: check the resolver of this network',
};

/** What a code of the system, of TLS or of the HTTP client means, with the code if people look for it, as in
 *  `ECONNREFUSED: nothing accepts connections there`. `undefined` for a code that says it itself, or not. */
export function explainNetworkCode(code: string): string | undefined {
  const meaning = meanings[code];
  if (meaning === undefined) return code.startsWith('UND_ERR_') ? 'the connection failed' : undefined;
  return code.startsWith('UND_ERR_') ? meaning : `${code}: ${meaning}`;
}

/** Words for an error that is not ours. `undefined`: its own words are as good. */
export function explainForeign(error: Error): string | undefined {
  const deepest = findDeepest(error);
  // The client's own error for any failure of `fetch`: only its cause says something.
  if (error.message === 'fetch failed' && deepest !== error)
    return explainForeign(deepest) ?? `the request failed: ${deepest.message.slice(0, mostWords)}`;
  const explained = explainNetworkCode(textIn(error, 'code') ?? '');
  if (explained !== undefined) return withAddress(explained, error);
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return 'time ran out before there was an answer';
  if (isSdks(error)) {
    return `${describeStatus(error, 'its answer')} cannot be read: look whether a proxy or another server answers in its place`;
  }
  if (/is not valid JSON|in JSON at position/.test(error.message)) return 'it is not JSON';
  if (/^Unknown(?:Error)?$/.test(error.message))
    return `${describeStatus(error, 'it answered')} without saying why`;
  return withoutMarkup(error.message);
}

/** Whether an SDK or a parser could not read an answer. Its words quote that, which may be a secret. */
export function isUnreadable(error: Error): boolean {
  return error instanceof SyntaxError || isSdks(error);
}

function isSdks({ message }: Error): boolean {
  return message.includes('Deserialization error') || message.startsWith('@aws-sdk XML parse error');
}

/** Characters of another's words that are kept. */
const mostWords = 400;
/** How many causes are looked at. */
const deepestCause = 8;

function findDeepest(error: Error): Error {
  let deepest = error;
  for (let depth = 0; depth < deepestCause && deepest.cause instanceof Error; depth += 1)
    deepest = deepest.cause;
  const [first] = deepest instanceof AggregateError ? deepest.errors : [];
  return first instanceof Error ? first : deepest;
}

/** With what the system says that it asked: `ca.example (ENOTFOUND: DNS does not know the name)`. */
function withAddress(words: string, error: Error): string {
  const [address, host] = [textIn(error, 'address'), textIn(error, 'hostname')];
  const port: unknown = 'port' in error ? error.port : undefined;
  if (host !== undefined) return `${host.slice(0, mostHost)} (${words})`;
  return address === undefined
    ? words
    : `${address.slice(0, mostHost)}${typeof port === 'number' ? `, port ${port}` : ''} (${words})`;
}

/** Characters of the longest name of a host. */
const mostHost = 253;

/** `its answer`, with the status of HTTP that the SDK keeps. */
function describeStatus(error: Error, words: string): string {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  const response: unknown = '$response' in error ? error.$response : undefined;
  const status = numberIn(metadata, 'httpStatusCode') ?? numberIn(response, 'statusCode');
  return status === undefined ? words : `${words} ${status}`;
}

/** What HTML or XML says to people; `undefined` if the text has none. */
function withoutMarkup(text: string): string | undefined {
  const start = text.slice(0, mostSearched);
  if (!/<(?:\/[A-Za-z]|\?xml|!doctype)/i.test(start)) return undefined;
  const [, inside] = /<(?:Message|message|title|TITLE)>([^<]{1,400})</.exec(start) ?? [];
  return inside?.trim() || `an answer in HTML or XML: look whether a proxy answers in its place`;
}

const mostSearched = 4_000;

function textIn(error: Error, key: 'code' | 'address' | 'hostname'): string | undefined {
  const value: unknown = key in error ? Reflect.get(error, key) : undefined;
  return typeof value === 'string' ? value : undefined;
}

function numberIn(value: unknown, key: string): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: unknown = Reflect.get(value, key);
  return typeof found === 'number' ? found : undefined;
}
