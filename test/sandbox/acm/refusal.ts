// What AWS Certificate Manager refuses, with the error names of its API reference.

export type RefusalCode =
  | 'ValidationException'
  | 'LimitExceededException'
  | 'ResourceNotFoundException'
  | 'InvalidTagException'
  | 'MissingAuthenticationTokenException'
  | 'InvalidSignatureException'
  | 'UnknownOperationException';

/** Thrown by an action and answered with status 400. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}
