// The schema of a target's details: key names, password, labels and annotations; region and ARN in ACM.
import * as z from 'zod';
import {
  type KeyNames,
  type KeyRole,
  keyRoles,
  type SecretFormat,
  type SecretTarget,
} from '../certificate/spec.ts';
import { awsRegion, awsSecret, mapping } from './fields.ts';
import { qualifiedNamePattern, when } from './patterns.ts';
import { describeInput } from './problems.ts';

const key = z
  .string()
  .regex(/^[-._a-zA-Z0-9]{1,253}$/, 'is not a key of a Secret; use up to 253 letters, digits and -_.');

const labelValue = z
  .string({ error: ({ input }) => `is ${describeInput(input)}; write text, and a number in quotes` })
  .regex(
    /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
    'is not a label value; use up to 63 letters, digits and inner -_.',
  );

const annotationValue = z.string({
  error: ({ input }) => `is ${describeInput(input)}; write text, and a number in quotes`,
});

/** Optional keys of a target for its Secret: names of its keys, a
 *  keystore's password, labels and annotations. */
export const secretFields = {
  keys: mapping({
    cert: key.optional().describe('Key of the chain (format tls). Default: tls.crt'),
    key: key.optional().describe('Key of the private key (format tls). Default: tls.key'),
    chain: key.optional().describe('Key of what follows the leaf (format tls). Default: none'),
    pem: key
      .optional()
      .describe('Key of the private key and chain (format combined-pem). Default: tls-combined.pem'),
    keystore: key.optional().describe('Key of the keystore (format pkcs12). Default: keystore.p12'),
  } satisfies Record<KeyRole, z.ZodType>)
    .optional()
    .describe(
      'Other names for the keys of the Secret: cert, key and chain for tls, pem for combined-pem, keystore for pkcs12',
    ),
  password: mapping({
    secret: awsSecret('certrelay/passwords/shop').describe('AWS secret with the password as plain text'),
  })
    .optional()
    .describe('For pkcs12: the AWS secret with the password as plain text'),
  labels: named(labelValue).optional().describe('Labels to set on the Secret'),
  annotations: named(annotationValue).optional().describe('Annotations to set on the Secret'),
};

/** The keys of a target in AWS Certificate Manager. */
export const acmFields = {
  acm: mapping({
    region: awsRegion('us-east-1').describe(
      'us-east-1 for CloudFront, otherwise the region of the load balancer',
    ),
    arn: z
      .string()
      .regex(
        /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]{1,64}$/,
        'is not the ARN of a certificate in ACM; use e.g. arn:aws:acm:us-east-1:123456789012:certificate/…',
      )
      .optional()
      .describe('The imported certificate to replace. Default: import a new one once, then replace that one'),
  })
    .refine(({ region, arn = '' }) => [undefined, region].includes(/:acm:([^:]+):/.exec(arn)?.[1]), {
      path: ['arn'],
      error: 'is in another region; correct the region or the ARN',
    })
    .describe('Import into AWS Certificate Manager'),
};

/** Adds an issue to `context` for each conflict between a target's format, keys and password. */
export function checkSecretFields(
  { format, keys, password }: Pick<SecretTarget, 'format' | 'keys' | 'password'>,
  context: z.RefinementCtx,
): void {
  const refuse = (path: readonly string[], message: string) =>
    context.addIssue({ code: 'custom', path: [...path], message });
  if (format === 'pkcs12' && password === undefined) {
    refuse([], 'is a keystore without a password; add e.g. password: { secret: "{prefix}/passwords/shop" }');
  }
  if (format !== 'pkcs12' && password !== undefined) {
    refuse(['password'], `is not used by format ${format}; leave it out, or write format: pkcs12`);
  }
  if (keys !== undefined) checkKeys(format, keys, refuse);
}

/** The keys that can be renamed in each format, and those that must be renamed together. */
const roles: Readonly<Record<SecretFormat, readonly KeyRole[]>> = {
  tls: ['cert', 'key', 'chain'],
  ployst: [],
  'nginx-ssl-proxy': [],
  'combined-pem': ['pem'],
  pkcs12: ['keystore'],
};
const needed: readonly KeyRole[] = ['cert', 'key'];

/** What `checkSecretFields` demands of a target, as JSON Schema. */
export const secretRules = {
  allOf: Object.entries(roles).map(([format, own]) => {
    // A target without a format has tls.
    const named = format === 'tls' ? {} : { required: ['format'] };
    const isKeystore = format === 'pkcs12';
    const keys = own.length === 0 ? false : keyRules(own);
    return when(
      { properties: { format: { const: format } }, ...named },
      isKeystore
        ? { required: ['password'], properties: { keys } }
        : { properties: { keys, password: false } },
    );
  }),
};

function keyRules(own: readonly KeyRole[]): object {
  const others = keyRoles.filter((role) => !own.includes(role));
  return {
    required: own.filter((role) => needed.includes(role)),
    properties: Object.fromEntries(others.map((role) => [role, false])),
  };
}

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
      refuse(['keys', role], `is not a key of format ${format}; use ${own.join(', ')}`);
    }
    if (!isNamed && own.includes(role) && needed.includes(role)) {
      refuse(['keys'], `has no ${role}; name both cert and key`);
    }
  }
  const names = Object.values(keys).filter((name) => name !== undefined);
  if (new Set(names).size < names.length)
    refuse(['keys'], 'has the same name twice; give each key its own name');
}

/** Labels or annotations, by Kubernetes' qualified names. Certrelay's own names are refused. */
function named<Value extends z.ZodType<string>>(value: Value) {
  return z.record(z.string().meta({ pattern: qualifiedNamePattern }), value).superRefine((map, context) => {
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
    return 'is not the name of a label or annotation; use e.g. team or example.com/team';
  }
  const isOurs = prefix === 'certrelay.dev' || name === 'app.kubernetes.io/managed-by';
  return isOurs ? 'is set by Certrelay itself; leave it out' : undefined;
}
