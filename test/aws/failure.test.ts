// What AWS says when it refuses, in the words that all adapters share.
import { describe, expect, it } from 'vitest';
import { callAws, readAwsFailure } from '../../lib/adapters/aws/failure.ts';

const never = new AbortController().signal;
const named = (name: string, message = 'no') => Object.assign(new Error(message), { name });

it.each([
  ['AccessDenied', 'denied'],
  ['AccessDeniedException', 'denied'],
  ['KmsAccessDenied', 'denied'],
  ['NotAuthorizedForSourceException', 'denied'],
  ['UnrecognizedClientException', 'unsigned'],
  ['InvalidClientTokenId', 'unsigned'],
  ['ExpiredTokenException', 'unsigned'],
  ['SignatureDoesNotMatch', 'unsigned'],
  ['CredentialsProviderError', 'unsigned'],
  ['Throttling', 'throttled'],
  ['ThrottlingException', 'throttled'],
  ['TooManyRequestsException', 'throttled'],
  ['RequestThrottled', 'throttled'],
  ['RequestLimitExceeded', 'throttled'],
  ['ResourceNotFoundException', 'missing'],
  ['NoSuchHostedZone', 'missing'],
  ['QueueDoesNotExist', 'missing'],
  ['TimeoutError', 'unreachable'],
  ['InvalidNextTokenException', 'other'],
  ['ResourceExistsException', 'other'],
  ['LimitExceededException', 'other'],
  ['Error', 'other'],
])('%s is %s, under the name that AWS gives it', (name, kind) => {
  const error = named(name);
  expect(readAwsFailure(error)).toEqual({ kind, name, message: 'no', cause: error });
});

it('a connection that fails is unreachable, under the name that the system gives it', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
  expect(readAwsFailure(refused)).toMatchObject({
    kind: 'unreachable',
    name: 'ECONNREFUSED',
    cause: refused,
  });
});

it('what is not an answer is quoted nowhere, for it may hold a key', () => {
  const key = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQ';
  for (const error of [
    new SyntaxError(`Unexpected token in JSON: ${key}`),
    new Error(`${key}\n  Deserialization error: to see the raw response, inspect the hidden field`),
  ]) {
    const failure = readAwsFailure(error);
    expect(failure).toMatchObject({ kind: 'unreadable', cause: undefined });
    expect(JSON.stringify(failure)).not.toContain(key);
  }
  const { message } = readAwsFailure(named('ValidationException', `${key} is no key${' again'.repeat(200)}`));
  expect(message).toMatch(/^… is no key/);
  expect(message).toHaveLength(400);
});

describe('a call', () => {
  const translate = ({ name }: { readonly name: string }) => new Error(`translated ${name}`);

  it('gives the answer, or what its failure is translated to', async () => {
    expect(await callAws(never, async () => 'answer', translate)).toBe('answer');
    const failing = async () => {
      throw named('Throttling');
    };
    await expect(callAws(never, failing, translate)).rejects.toThrow('translated Throttling');
  });

  it('ends with the reason of its signal, and is not made once that is aborted', async () => {
    const reason = new Error('time is up');
    const ending = new AbortController();
    const cut = async ({ abortSignal }: { readonly abortSignal: AbortSignal }) => {
      ending.abort(reason);
      throw named('AbortError', String(abortSignal.aborted));
    };
    await expect(callAws(ending.signal, cut, translate)).rejects.toBe(reason);
    let calls = 0;
    const counted = async () => {
      calls += 1;
    };
    await expect(callAws(ending.signal, counted, translate)).rejects.toBe(reason);
    expect(calls).toBe(0);
  });
});
