// The schema of `kmsKey`: the KMS key of AWS secrets that are made from now on.
import * as z from 'zod';

/** `kmsKey`: the ARN of a key. Not that of an alias: IAM allows keys, and a right by alias would move with
 *  the alias. */
export const kmsKey = z
  .string()
  .regex(
    /^arn:aws(-[a-z]+)*:kms:[a-z]{2,4}(-[a-z]+)+-\d+:\d{12}:key\/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    'is not the ARN of a KMS key; use arn:aws:kms:<region>:<account>:key/<id>, which aws kms describe-key answers for an alias',
  );
