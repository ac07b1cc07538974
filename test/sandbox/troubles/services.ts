// Troubles of DNS, of the CA and of AWS.
import { failing, type Trouble } from './trouble.ts';

const busy = { kind: 'error', code: 'ThrottlingException', status: 400, message: 'Rate exceeded' } as const;

/** By name, as people type it. */
export const serviceTroubles: Readonly<Record<string, Trouble>> = {
  zone: {
    what: 'the hosted zone example.com is not in Route 53',
    shows: ['PreflightFailed'],
    begin: ({ route53 }) => ({ mend: route53.takeZones('example.com') }),
  },
  caa: {
    what: 'CAA of shop.example.com allows another CA alone',
    shows: ['PreflightFailed'],
    begin({ route53 }) {
      const values = ['0 issue "other-ca.example"'];
      const set = { name: 'shop.example.com.', type: 'CAA', ttl: 60, values };
      const has = () =>
        route53.list('example.com').find((one) => one.name === set.name && one.type === 'CAA');
      const before = has();
      route53.edit('example.com', [{ action: 'UPSERT', set }]);
      return {
        isThere: () => has()?.values.join() === values.join(),
        mend: () =>
          route53.edit('example.com', [
            before ? { action: 'UPSERT', set: before } : { action: 'DELETE', set },
          ]),
      };
    },
  },
  dns: {
    what: 'no name server answers',
    shows: ['BackingOff', 'OrderFailing'],
    begin: failing('dns', { kind: 'drop' }),
  },
  route53: {
    what: 'Route 53 refuses each call as one too many',
    shows: ['BackingOff', 'OrderFailing'],
    begin: failing('route53', { ...busy, code: 'Throttling' }),
  },
  ca: {
    what: 'the CA answers nobody',
    shows: ['IssuerFailing', 'BackingOff', 'OrderFailing'],
    begin: failing('acme', { kind: 'drop' }),
  },
  'ca-refuses': {
    what: 'the CA refuses each order: its policy forbids the names',
    shows: ['BackingOff', 'OrderFailing'],
    begin: failing(
      'acme',
      {
        kind: 'error',
        code: 'rejectedIdentifier',
        status: 400,
        message: 'policy forbids issuing for these names',
      },
      'newOrder',
    ),
  },
  'ca-limits': {
    what: 'the CA refuses each order: too many certificates of late',
    shows: ['RateLimited'],
    begin: failing(
      'acme',
      {
        kind: 'error',
        code: 'rateLimited',
        status: 429,
        message: 'too many certificates already issued for "example.com" in the last 168h0m0s',
        headers: { 'retry-after': '3600' },
      },
      'newOrder',
    ),
  },
  'ca-pauses': {
    what: 'the CA has paused shop.example.com until a person acts there',
    shows: ['PausedByCA'],
    begin({ authority: { settings } }) {
      settings.pausedNames.add('shop.example.com');
      return { mend: () => void settings.pausedNames.delete('shop.example.com') };
    },
  },
  secrets: {
    what: 'Secrets Manager refuses each call as one too many',
    shows: [],
    begin: failing('secretsmanager', busy),
  },
  'function-rights': {
    what: 'the role of issue may no longer write values of AWS secrets',
    shows: ['FunctionFailing'],
    begin({ policies }) {
      const right = 'secretsmanager:PutSecretValue';
      const before = policies.get('issue') ?? [];
      const less = before.map((statement) => ({
        ...statement,
        actions: statement.actions.filter((action) => action !== right),
      }));
      policies.set('issue', less);
      return {
        isThere: () => policies.get('issue') === less,
        mend: () => void policies.set('issue', before),
      };
    },
  },
};
