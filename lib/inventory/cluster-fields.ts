// The form of a cluster in the inventory: how it is signed in to, and how it is spoken with.
import * as z from 'zod';
import type { ClusterSignIn, ClusterSpec } from '../certificate/cluster-spec.ts';
import { awsRegion, awsSecret, file, mapping, namespace, pemText, roleArn } from './fields.ts';
import { describeInput } from './problems.ts';

const eks = mapping({
  name: z
    .string()
    .regex(
      /^[0-9A-Za-z][\w-]{0,99}$/,
      'is no name of an EKS cluster; write it as `aws eks list-clusters` does',
    ),
  region: awsRegion('eu-west-1').describe('Region that the EKS cluster is in'),
  roleArn: roleArn
    .optional()
    .describe("Role that has an access entry in the cluster; where absent, deploy's own"),
});

const inCluster = z.union(
  [z.literal(true), mapping({ folder: z.string().min(1, 'is empty; write the path of a folder') })],
  { error: ({ input }) => `is ${describeInput(input)}; write true` },
);

const settings = {
  server: httpUrl(/^https:$/, 'https://10.0.0.1:6443')
    .optional()
    .describe('URL of the API server, instead of what the kubeconfig or EKS says'),
  caBundle: z
    .union([pemText, file])
    .optional()
    .describe(
      "PEM to trust for the API server's TLS, or a file of it, instead of what the kubeconfig or EKS says",
    ),
  proxy: httpUrl(/^https?:$/, 'http://egress.example.com:3128')
    .optional()
    .describe('URL of a proxy that the API server is reached by'),
  timeoutSeconds: wholeNumber('timeoutSeconds', 300)
    .optional()
    .describe('How long one attempt of a call may take; 15 where absent'),
  concurrency: wholeNumber('concurrency', 64)
    .optional()
    .describe('Targets of the cluster under way at once; 8 where absent'),
  prune: z
    .union(
      [z.literal(true), z.array(namespace).min(1, 'is empty; write namespaces, true, or leave out prune')],
      {
        error: ({ input }) => `is ${describeInput(input)}; write true, or a list of namespaces`,
      },
    )
    .optional()
    .describe('Deletes Secrets whose target is gone, in these namespaces; true: in those that targets name'),
};

/** One entry of `clusters`. */
export const cluster = mapping({
  kubeconfig: z
    .union([mapping({ secret: awsSecret('certrelay/clusters/lab') }), file])
    .optional()
    .describe('AWS secret or file that holds a kubeconfig, by which it is reached from outside'),
  eks: eks.optional().describe('Cluster of EKS, signed in to by an IAM role'),
  inCluster: inCluster
    .optional()
    .describe('true: the cluster that this runs in, by the service account of its pod'),
  agent: z
    .literal(true, 'is not true; write true, or leave it out')
    .optional()
    .describe('true: only an agent in it reaches it'),
  ...settings,
}).transform(({ kubeconfig, eks: byRole, inCluster: byPod, agent, ...rest }, context): ClusterSpec => {
  const ways: readonly ClusterSignIn[] = [
    ...(kubeconfig === undefined ? [] : [{ kubeconfig }]),
    ...(byRole === undefined ? [] : [{ eks: byRole }]),
    ...(byPod === undefined ? [] : [{ inCluster: byPod }]),
    ...(agent === undefined ? [] : [{ agent }]),
  ];
  const [signIn] = ways;
  if (signIn !== undefined && ways.length === 1) return { ...signIn, ...rest };
  const message = `says ${ways.length === 0 ? 'no' : 'more than one'} way to reach the cluster; write one of kubeconfig, eks, inCluster, agent`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

function httpUrl(protocol: RegExp, example: string) {
  return z.string().transform((text, context) => {
    const url = URL.parse(text);
    if (url && protocol.test(url.protocol) && url.username === '' && url.password === '') {
      return text.replace(/(?<!\/)\/+$/, '');
    }
    // Not quoted: what stands before an @ may be a password.
    context.addIssue({
      code: 'custom',
      message: `is no such URL, or holds a user name; write such as ${example}`,
    });
    return z.NEVER;
  });
}

function wholeNumber(what: string, most: number) {
  return z
    .int(`is no number for ${what}; write a whole number`)
    .min(1, 'is less than 1; write at least 1')
    .max(most, `is more than ${most}; write at most ${most}`);
}
