// What Secrets Manager refuses, with the error names of its API reference.
import { AwsRefusal } from '../aws-json.ts';

/** Names of the errors that the double answers; all but `AccessDeniedException` are in the API reference's
 *  own lists. */
export type RefusalCode =
  | 'InvalidParameterException'
  | 'InvalidRequestException'
  | 'InvalidNextTokenException'
  | 'ResourceExistsException'
  | 'ResourceNotFoundException'
  | 'ValidationException'
  | 'DecryptionFailure'
  | 'EncryptionFailure'
  | 'AccessDeniedException'
  | 'MissingAuthenticationTokenException'
  | 'InvalidSignatureException'
  | 'UnknownOperationException';

/** Thrown by an action and answered with status 400. */
export class Refusal extends AwsRefusal<RefusalCode> {}
