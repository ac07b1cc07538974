// The schema of `dns`: delegation zone, hosted zones in other AWS accounts, and the check before an order.
import * as z from 'zod';
import { mapping, zone } from './fields.ts';
import { externalId, roleArn } from './role-fields.ts';

const zoneAccess = mapping({
  match: zone.describe('The role is used for hosted zones of this name and all names below it'),
  roleArn: roleArn.describe('ARN of a role in another AWS account, created there from infra/dns-role.yaml'),
  externalId: externalId
    .optional()
    .describe("The value of sts:ExternalId that the role's trust policy requires"),
});

/** `dns`: how challenge records reach the right hosted zone. */
export const dns = mapping({
  delegationZone: zone
    .optional()
    .describe(
      'A hosted zone of yours. Owners of other domains point their _acme-challenge names into it with a CNAME',
    ),
  zones: z
    .array(zoneAccess)
    .optional()
    .describe('Hosted zones in other AWS accounts, and the role to use for each'),
  preflight: z
    .boolean()
    .optional()
    .describe('false: order without checking delegation, CNAMEs and CAA first'),
});
