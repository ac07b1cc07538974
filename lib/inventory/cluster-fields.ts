// The schema of `clusters` in the inventory: how to sign in to a cluster, and how to connect to it.
import * as z from 'zod';
import type { ClusterSignIn, ClusterSpec } from '../certificate/cluster-spec.ts';
import { awsRegion, awsSecret, file, mapping, namespace, pemText } from './fields.ts';
import { urlPattern } from './patterns.ts';
import { describeInput } from './problems.ts';
import { roleArn } from './role-fields.ts';

const eks = mapping({
  name: z
    .string()
    .regex(
      /^[0-9A-Za-z][\w-]{0,99}$/,
      'is not the name of an EKS cluster; write it as `aws eks list-clusters` shows it',
    )
    .describe('Name of the EKS cluster'),
  region: awsRegion('eu-west-1').describe('AWS region of the EKS cluster'),
  roleArn: roleArn
    .optional()
    .describe('ARN of an IAM role with an access entry in the cluster. Default: the role of deploy'),
});

const inCluster = z.union(
  [
    z.literal(true),
    mapping({
      folder: z
        .string()
        .min(1, 'is empty; write the path of a folder')
        .describe("Folder with the service account's token and CA certificate"),
    }),
  ],
  { error: ({ input }) => `is ${describeInput(input)}; write true` },
);

const connectionFields = {
  server: httpUrl(['https'], 'https://10.0.0.1:6443')
    .optional()
    .describe('URL of the API server. Default: the one in the kubeconfig or from EKS'),
  caBundle: z
    .union([pemText, file])
    .optional()
    .describe(
      'PEM certificate of the CA to trust for the API server, or { file: … }. Default: the one in the kubeconfig or from EKS',
    ),
  proxy: httpUrl(['http', 'https'], 'http://egress.example.com:3128')
    .optional()
    .describe('URL of an HTTP proxy to connect through'),
  timeoutSeconds: wholeNumber('timeoutSeconds', 300)
    .optional()
    .describe('Time limit for one attempt of an API call, in seconds. Default: 15'),
  concurrency: wholeNumber('concurrency', 64)
    .optional()
    .describe('How many targets of the cluster are worked on at once. Default: 8'),
  prune: z
    .union(
      [z.literal(true), z.array(namespace).min(1, 'is empty; write namespaces or true, or leave out prune')],
      {
        error: ({ input }) => `is ${describeInput(input)}; write true, or a list of namespaces`,
      },
    )
    .optional()
    .describe(
      'Delete Secrets whose target was removed, in these namespaces. true: in all namespaces that targets name',
    ),
};

/** One entry of `clusters`, parsed to a `ClusterSpec`. */
export const cluster = mapping({
  kubeconfig: z
    .union([
      mapping({ secret: awsSecret('certrelay/clusters/lab').describe('AWS secret with the kubeconfig') }),
      file,
    ])
    .optional()
    .describe('AWS secret or file with a kubeconfig'),
  eks: eks.optional().describe('EKS cluster; Certrelay signs in with an IAM role'),
  inCluster: inCluster
    .optional()
    .describe(
      'true: the cluster that Certrelay itself runs in; it signs in with the service account of its pod',
    ),
  agent: z
    .literal(true, 'must be true; write true, or leave it out')
    .optional()
    .describe('true: an agent in the cluster delivers; Certrelay does not connect to it'),
  ...connectionFields,
})
  .meta({ oneOf: ['kubeconfig', 'eks', 'inCluster', 'agent'].map((key) => ({ required: [key] })) })
  .transform(({ kubeconfig, eks: byRole, inCluster: byPod, agent, ...rest }, context): ClusterSpec => {
    const signIns: readonly ClusterSignIn[] = [
      ...(kubeconfig === undefined ? [] : [{ kubeconfig }]),
      ...(byRole === undefined ? [] : [{ eks: byRole }]),
      ...(byPod === undefined ? [] : [{ inCluster: byPod }]),
      ...(agent === undefined ? [] : [{ agent }]),
    ];
    const [signIn] = signIns;
    if (signIn !== undefined && signIns.length === 1) return { ...signIn, ...rest };
    const message = `must set exactly one of kubeconfig, eks, inCluster, agent; ${signIns.length === 0 ? 'it has none' : 'it has more than one'}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

function httpUrl(schemes: readonly ('http' | 'https')[], example: string) {
  const text = z.string().meta({ pattern: urlPattern(...schemes) });
  return text.transform((text, context) => {
    const url = URL.parse(text);
    if (
      url &&
      schemes.some((scheme) => url.protocol === `${scheme}:`) &&
      url.username === '' &&
      url.password === ''
    ) {
      return text.replace(/(?<!\/)\/+$/, '');
    }
    // Not quoted: the part before an @ may be a password.
    context.addIssue({
      code: 'custom',
      message: `is not a valid URL here, or contains a user name; use e.g. ${example}`,
    });
    return z.NEVER;
  });
}

function wholeNumber(name: string, most: number) {
  return z
    .int(`is not a number for ${name}; write a whole number`)
    .min(1, 'is less than 1; write at least 1')
    .max(most, `is more than ${most}; write at most ${most}`);
}
