// The sandbox's IAM against what AWS documents of condition operators, keys and ARNs.
import { describe, expect, it } from 'vitest';
import { Sessions } from '../sts/sessions.ts';
import { createAccess } from './access.ts';
import { checkStatement, isAllowed, type Statement } from './evaluation.ts';

const secret = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:certrelay/certificates/shop-AbCdEf';
const action = 'secretsmanager:TagResource';

function statement(conditions: Statement['conditions'], changes: Partial<Statement> = {}): Statement {
  return { sid: 'Any', actions: [action], resources: ['*'], conditions, ...changes };
}

const keys = (...values: readonly string[]) => ({ 'aws:TagKeys': values });
const tag = (value: string) => ({ 'aws:ResourceTag/owner': [value] });

describe('a condition', () => {
  it.each<[string, Statement['conditions'][string], Record<string, readonly string[]>, boolean]>([
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a', 'b'] }, keys('a', 'b'), true],
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a'] }, keys('a', 'b'), false],
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a'] }, keys('A'), false],
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a*'] }, keys('ab'), false],
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a'] }, {}, true],
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a'] }, keys(), true],
    ['ForAllValues:StringLike', { 'aws:tagkeys': ['a.*'] }, keys('a.1', 'a.2'), true],
    ['ForAllValues:StringLike', { 'aws:TagKeys': ['a.*'] }, keys('a', 'a.1'), false],
    ['ForAllValues:StringLike', { 'aws:TagKeys': ['a?'] }, keys('ab'), true],
    ['ForAllValues:StringNotLike', { 'aws:TagKeys': ['*/*'] }, keys('a', 'b'), true],
    ['ForAllValues:StringNotLike', { 'aws:TagKeys': ['*/*'] }, keys('a', 'b/c'), false],
    ['ForAnyValue:StringEquals', { 'aws:TagKeys': ['a'] }, keys('a', 'b'), true],
    ['ForAnyValue:StringEquals', { 'aws:TagKeys': ['a'] }, keys('b'), false],
    ['ForAnyValue:StringEquals', { 'aws:TagKeys': ['a'] }, {}, false],
    ['ForAnyValue:StringNotEquals', { 'aws:TagKeys': ['a'] }, {}, false],
    ['ForAnyValue:StringNotEquals', { 'aws:TagKeys': ['a'] }, keys('a', 'b'), true],
    ['StringEquals', { 'aws:ResourceTag/owner': ['us'] }, tag('us'), true],
    ['StringEquals', { 'aws:ResourceTag/Owner': ['us'] }, tag('us'), true],
    ['StringEquals', { 'aws:ResourceTag/owner': ['us'] }, tag('US'), false],
    ['StringEquals', { 'aws:ResourceTag/owner': ['us'] }, {}, false],
    ['StringEqualsIfExists', { 'aws:ResourceTag/owner': ['us'] }, {}, true],
    ['StringEqualsIfExists', { 'aws:ResourceTag/owner': ['us'] }, tag('them'), false],
    ['StringNotEquals', { 'aws:ResourceTag/owner': ['us'] }, {}, true],
    ['StringNotEquals', { 'aws:ResourceTag/owner': ['us'] }, tag('us'), false],
    ['StringLike', { 'aws:ResourceTag/owner': ['?*'] }, tag('us'), true],
    ['StringLike', { 'aws:ResourceTag/owner': ['?*'] }, tag(''), false],
    ['StringNotLike', { 'aws:ResourceTag/owner': ['u*'] }, tag('us'), false],
    ['Null', { 'aws:TagKeys': ['true'] }, {}, true],
    ['Null', { 'aws:TagKeys': ['false'] }, {}, false],
    ['Null', { 'aws:TagKeys': ['false'] }, keys(), false],
    ['Null', { 'aws:TagKeys': ['false'] }, keys('a'), true],
  ])('%s %j for a request with %j: %j', (operator, wanted, conditions, expected) => {
    const request = { action, resource: secret, conditions };
    expect(isAllowed([statement({ [operator]: wanted })], request)).toBe(expected);
  });

  it('holds only where all of one statement do: two statements do not add up', () => {
    const [a, b] = ['a', 'b'].map((key) => statement({ 'ForAllValues:StringEquals': keys(key) }));
    const request = { action, resource: secret, conditions: keys('a', 'b') };
    expect(isAllowed([...(a ? [a] : []), ...(b ? [b] : [])], request)).toBe(false);
  });

  it.each<[string, Statement, string]>([
    ['an operator', statement({ DateLessThan: { 'aws:TagKeys': ['a'] } }), 'DateLessThan'],
    ['a set operator of Null', statement({ 'ForAllValues:Null': keys('true') }), 'ForAllValues:Null'],
    ['a key', statement({ StringEquals: { 'aws:SourceIp': ['127.0.0.1'] } }), 'aws:SourceIp'],
    ['an action', statement({ Null: keys('true') }, { actions: ['s3:GetObject'] }), 's3:GetObject'],
    [
      'a key that comes with one of its actions alone',
      statement({ Null: keys('false') }, { actions: [action, 'secretsmanager:GetSecretValue'] }),
      'secretsmanager:GetSecretValue is not sent with aws:TagKeys',
    ],
    ['one value of a key that has several', statement({ StringEquals: keys('a') }), 'does not fit'],
    ['a set of a key that has one', statement({ 'ForAllValues:StringEquals': tag('a') }), 'does not fit'],
  ])('%s that would not do what it seems to is an error, not a yes', (_, wrong, message) => {
    expect(() => checkStatement(wrong)).toThrow(message);
  });
});

describe('a resource', () => {
  const base = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:certrelay';
  it.each([
    [`${base}/webhook-??????`, `${base}/webhook-AbCdEf`, true],
    [`${base}/webhook-??????`, `${base}/webhook-AbCdE`, false],
    [`${base}/webhook-??????`, `${base}/webhook-of-others-AbCdEf`, false],
    [`${base}/certificates/*`, `${base}/certificates/a/b-AbCdEf`, true],
    [`${base}/certificates/*`, `${base}/accounts/a-AbCdEf`, false],
    ['arn:aws:acm:*:123456789012:certificate/*', 'arn:aws:acm:us-east-1:123456789012:certificate/1', true],
    ['arn:aws:acm:*:123456789012:certificate/*', 'arn:aws:acm:us-east-1:210987654321:certificate/1', false],
    ['arn:aws:acm:*:certificate/*', 'arn:aws:acm:us-east-1:123456789012:certificate/1', false],
    ['*', '*', true],
    [`${base}/*`, '*', false],
  ])('%s is %s: %j', (pattern, resource, expected) => {
    expect(isAllowed([statement({}, { resources: [pattern] })], { action, resource })).toBe(expected);
  });
});

it('somebody, or an action, of whom nobody has said anything is an error', () => {
  const access = createAccess(new Map([['issue', [statement({})]]]), new Sessions());
  expect(access.refuse('issue', [{ action, resource: secret }])).toBeUndefined();
  expect(access.refuse('issue', [{ action: 'secretsmanager:GetSecretValue', resource: secret }])).toBe(
    `User: arn:aws:sts::123456789012:assumed-role/issue/issue is not authorized to perform: secretsmanager:GetSecretValue on resource: ${secret} because no identity-based policy allows the secretsmanager:GetSecretValue action`,
  );
  expect(() => access.refuse('somebody', [{ action, resource: secret }])).toThrow('somebody');
  expect(() => access.refuse('issue', [{ action: 's3:GetObject', resource: '*' }])).toThrow('s3:GetObject');
});
