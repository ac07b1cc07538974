// Which condition keys come with which action (AWS, Service Authorization Reference): those that the
// sandbox's parts send. A policy that rests on any other would hold here by accident.

const requestTags = ['aws:RequestTag/', 'aws:TagKeys'] as const;
const resourceTags = 'aws:ResourceTag/';
const records = ['RecordTypes', 'Actions', 'NormalizedRecordNames'].map(
  (name) => `route53:ChangeResourceRecordSets${name}`,
);

/** By action; what ends in a slash goes on with the key of a tag. */
const keysOf: Readonly<Record<string, readonly string[]>> = {
  'secretsmanager:CreateSecret': requestTags,
  'secretsmanager:TagResource': [...requestTags, resourceTags],
  'secretsmanager:UntagResource': ['aws:TagKeys', resourceTags],
  'secretsmanager:DescribeSecret': [resourceTags],
  'secretsmanager:GetSecretValue': [resourceTags],
  'secretsmanager:PutSecretValue': [resourceTags],
  'secretsmanager:UpdateSecretVersionStage': [resourceTags],
  'secretsmanager:ListSecrets': [],
  'secretsmanager:DeleteSecret': [
    resourceTags,
    'secretsmanager:RecoveryWindowInDays',
    'secretsmanager:ForceDeleteWithoutRecovery',
  ],
  'secretsmanager:RestoreSecret': [resourceTags],
  'secretsmanager:RemoveRegionsFromReplication': [resourceTags],
  'kms:GenerateDataKey': ['kms:ViaService'],
  'kms:Decrypt': ['kms:ViaService'],
  'route53:ListHostedZones': [],
  'route53:GetHostedZone': [],
  'route53:ListResourceRecordSets': [],
  'route53:ChangeResourceRecordSets': records,
  'route53:GetChange': [],
  'acm:ImportCertificate': [...requestTags, resourceTags],
  'acm:AddTagsToCertificate': [...requestTags, resourceTags],
  'acm:GetCertificate': [resourceTags],
  'acm:DescribeCertificate': [resourceTags],
  'acm:ListTagsForCertificate': [resourceTags],
  'acm:ListCertificates': [],
  'sns:Publish': [],
  'sqs:SendMessage': [],
  'sqs:ReceiveMessage': [],
  'sqs:DeleteMessage': [],
  'sqs:GetQueueAttributes': [],
  'sts:AssumeRole': ['sts:ExternalId', 'sts:RoleSessionName'],
  'eks:DescribeCluster': [],
  'events:PutEvents': ['events:source', 'events:detail-type'],
  // What people do with the dashboard.
  'lambda:InvokeFunction': [],
  'cloudwatch:GetDashboard': [],
  'cloudwatch:ListDashboards': [],
  'cloudwatch:GetMetricData': [],
  'cloudwatch:DescribeAlarms': [],
  'logs:StartQuery': [],
  'logs:GetQueryResults': [],
  'logs:StopQuery': [],
  'logs:CreateLogStream': [],
  'logs:PutLogEvents': [],
};

const multivalued = new Set(
  ['aws:TagKeys', 'events:source', 'events:detail-type', ...records].map((key) => key.toLowerCase()),
);

/** Whether the key comes with the action. @throws Error where the action is none of those that the sandbox
 *  plays. */
export function knowsKey(action: string, key: string): boolean {
  const keys = keysOf[action];
  if (!keys) throw new Error(`an action that the sandbox's IAM does not know: ${action}`);
  const asked = key.toLowerCase();
  return keys.some((known) =>
    known.endsWith('/') ? asked.startsWith(known.toLowerCase()) : asked === known.toLowerCase(),
  );
}

/** Whether the key may have several values, so that a condition needs a set operator. */
export function isMultivalued(key: string): boolean {
  return multivalued.has(key.toLowerCase());
}

/** @throws Error where the action is none of those that the sandbox plays. */
export function checkAction(action: string): void {
  if (!keysOf[action]) throw new Error(`an action that the sandbox's IAM does not know: ${action}`);
}

/** The condition keys of a request that brings tags, for a resource that has tags. */
export function tagConditions(
  requestTags: Iterable<readonly [string, string]>,
  resourceTags: Iterable<readonly [string, string]>,
): Readonly<Record<string, readonly string[]>> {
  const brought = [...requestTags];
  return Object.fromEntries([
    ...brought.map(([key, value]) => [`aws:RequestTag/${key}`, [value]] as const),
    ...[...resourceTags].map(([key, value]) => [`aws:ResourceTag/${key}`, [value]] as const),
    ['aws:TagKeys', brought.map(([key]) => key)] as const,
  ]);
}
