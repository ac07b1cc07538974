// The schemas of an IAM role and its external id.
import * as z from 'zod';
import { describeInput } from './problems.ts';

/** ARN of an IAM role. Wildcards are refused, because it becomes the resource of an IAM statement. */
export const roleArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/,
    'is not the ARN of an IAM role; use e.g. arn:aws:iam::210987654321:role/certrelay-dns',
  );

/** External id, in the form that STS accepts. */
export const externalId = z
  .string({ error: ({ input }) => `is ${describeInput(input)}; write text, and a number in quotes` })
  .regex(/^[\w+=,.@:/-]{2,1224}$/, 'is not an external id; use 2 to 1224 letters, digits and _+=,.@:/-');
