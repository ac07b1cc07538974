// What a user writes of a target beside its place: the keys of its Secret, its labels, and where ACM is.
import * as z from 'zod';
import {
  type KeyNames,
  type KeyRole,
  keyRoles,
  type SecretFormat,
  type SecretTarget,
} from '../certificate/spec.ts';
import { awsRegion, awsSecret, mapping } from './fields.ts';
import { describeInput } from './problems.ts';

const key = z
  .string()
  .regex(/^[-._a-zA-Z0-9]{1,253}$/, 'is no key of a Secret; write up to 253 of letters, digits and -_.');

const labelValue = z
  .string({ error: ({ input }) => `is ${describeInput(input)}; write text, a number in quotes` })
  .regex(
    /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
    'is no value of a label; write up to 63 of letters, digits and inner -_.',
  );

const annotationValue = z.string({
  error: ({ input }) => `is ${describeInput(input)}; write text, a number in quotes`,
});

/** What a Secret gets beside the format's own: other names of keys, a keystore's password, labels and annotations. */
export const secretDetails = {
  keys: mapping({
    cert: key.optional(),
    key: key.optional(),
    chain: key.optional(),
    pem: key.optional(),
    keystore: key.optional(),
  } satisfies Record<KeyRole, z.ZodType>)
    .optional()
    .describe('Other names of keys: cert, key and chain for tls, pem for combined-pem, keystore for pkcs12'),
  password: mapping({ secret: awsSecret('certrelay/passwords/shop') })
    .optional()
    .describe('For pkcs12: the AWS secret that holds the password as plain text'),
  labels: named(labelValue).optional().describe('Labels that the Secret gets'),
  annotations: named(annotationValue).optional().describe('Annotations that the Secret gets'),
};

/** Where a target in AWS Certificate Manager is. */
export const acmPlace = {
  acm: mapping({
    region: awsRegion('us-east-1').describe('us-east-1 for CloudFront, else the region of the load balancer'),
    arn: z
      .string()
      .regex(
        /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]{1,64}$/,
        'is no ARN of a certificate in ACM; write such as arn:aws:acm:us-east-1:123456789012:certificate/…',
      )
      .optional()
      .describe('The imported certificate to replace; where absent, one is imported, and kept from then on'),
  }).refine(({ region, arn = '' }) => [undefined, region].includes(/:acm:([^:]+):/.exec(arn)?.[1]), {
    path: ['arn'],
    error: 'is of another region; write that region, or another ARN',
  }),
};

/** Adds to `context` what does not fit together in a Secret's keys and password. */
export function checkDetails(
  { format, keys, password }: Pick<SecretTarget, 'format' | 'keys' | 'password'>,
  context: z.RefinementCtx,
): void {
  const refuse = (path: readonly string[], message: string) =>
    context.addIssue({ code: 'custom', path: [...path], message });
  if (format === 'pkcs12' && password === undefined) {
    refuse(
      [],
      'is a keystore without password; write such as password: { secret: certrelay/passwords/shop }',
    );
  }
  if (format !== 'pkcs12' && password !== undefined) {
    refuse(['password'], `is not for format ${format}; leave it out, or write format: pkcs12`);
  }
  if (keys !== undefined) checkKeys(format, keys, refuse);
}

/** Which keys of a format may be named, and those that must be where any is. */
const roles: Readonly<Record<SecretFormat, readonly KeyRole[]>> = {
  tls: ['cert', 'key', 'chain'],
  ployst: [],
  'nginx-ssl-proxy': [],
  'combined-pem': ['pem'],
  pkcs12: ['keystore'],
};
const needed: readonly KeyRole[] = ['cert', 'key'];

function checkKeys(
  format: SecretFormat,
  keys: KeyNames,
  refuse: (path: readonly string[], message: string) => void,
): void {
  const own = roles[format];
  if (own.length === 0) {
    refuse(['keys'], `are fixed in format ${format}; leave them out, or write format: tls`);
    return;
  }
  for (const role of keyRoles) {
    const isNamed = keys[role] !== undefined;
    if (isNamed && !own.includes(role)) {
      refuse(['keys', role], `is not in format ${format}; write ${own.join(', ')}`);
    }
    if (!isNamed && own.includes(role) && needed.includes(role)) {
      refuse(['keys'], `have no ${role}; name both cert and key`);
    }
  }
  const names = Object.values(keys).filter((name) => name !== undefined);
  if (new Set(names).size < names.length) refuse(['keys'], 'name one key twice; give each its own');
}

/** Names of labels and annotations (Kubernetes' qualified names) with their values; ours are refused. */
function named<Value extends z.ZodType<string>>(value: Value) {
  return z.record(z.string(), value).superRefine((map, context) => {
    for (const name of Object.keys(map)) {
      const problem = findProblem(name);
      if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
    }
  });
}

function findProblem(name: string): string | undefined {
  const [, prefix, own = ''] = /^(?:([^/]*)\/)?([^/]*)$/.exec(name) ?? [];
  const isName = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(own);
  const isPrefix =
    prefix === undefined ||
    (prefix.length <= 253 &&
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(prefix));
  if (!isName || !isPrefix) {
    return 'is no name of a label or annotation; write such as team or example.com/team';
  }
  const isOurs = prefix === 'certrelay.dev' || name === 'app.kubernetes.io/managed-by';
  return isOurs ? "is Certrelay's own; leave it out" : undefined;
}
