// What AWS Certificate Manager refuses, with the error names of its API reference.
import { AwsRefusal } from '../aws-json.ts';

export type RefusalCode =
  | 'ValidationException'
  | 'LimitExceededException'
  | 'ResourceNotFoundException'
  | 'InvalidTagException'
  | 'MissingAuthenticationTokenException'
  | 'InvalidSignatureException'
  | 'UnknownOperationException';

/** Thrown by an action and answered with status 400. */
export class Refusal extends AwsRefusal<RefusalCode> {}
