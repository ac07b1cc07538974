// The limits of Secrets Manager's API reference and quotas page, each refused as the service refuses it.
import { Refusal } from './refusal.ts';

const tagText = /^[\p{L}\p{N}\p{Z}+\-=._:/@]*$/u;

/** @throws Refusal for a name outside `[A-Za-z0-9/_+=.@-]{1,512}`. */
export function checkName(name: string): void {
  if (name.length > 512 || !/^[A-Za-z0-9/_+=.@-]+$/.test(name))
    throw new Refusal(
      'ValidationException',
      'Invalid name. Use 1 to 512 ASCII letters, numbers and any of /_+=.@-',
    );
}

/** The token, which becomes the version id.
 *  @throws Refusal where it is absent or not 32 to 64 characters long. */
export function checkToken(token: string | undefined): string {
  if (token === undefined)
    throw new Refusal('InvalidParameterException', 'You must provide a ClientRequestToken value.');
  if (token.length < 32 || token.length > 64)
    throw new Refusal('InvalidParameterException', 'ClientRequestToken must be 32-64 characters long.');
  return token;
}

/** @throws Refusal unless there is exactly one of the two, not empty and of at most 65,536 bytes. */
export function checkValue(text: string | undefined, binary: string | undefined): void {
  if ((text === undefined) === (binary === undefined))
    throw new Refusal(
      'InvalidRequestException',
      'You must provide either SecretString or SecretBinary, not both.',
    );
  const bytes = text === undefined ? Buffer.from(binary ?? '', 'base64').length : Buffer.byteLength(text);
  if (bytes < 1 || bytes > 65_536)
    throw new Refusal(
      'ValidationException',
      `The value has ${bytes} bytes; its length must be between 1 and 65536.`,
    );
}

/** @throws Refusal unless there are 1 to 20 labels of 1 to 256 characters each. */
export function checkLabels(labels: readonly string[]): void {
  if (labels.length < 1 || labels.length > 20)
    throw new Refusal('ValidationException', 'VersionStages must have 1 to 20 members.');
  if (labels.some((label) => label.length < 1 || label.length > 256))
    throw new Refusal('ValidationException', 'A staging label must have 1 to 256 characters.');
}

/** @throws Refusal for a tag whose key or value AWS does not take. */
export function checkTag(key: string, value: string): void {
  if (key.length < 1 || key.length > 128)
    throw new Refusal('InvalidParameterException', 'A tag key must have 1 to 128 characters.');
  if (value.length > 256)
    throw new Refusal('InvalidParameterException', 'A tag value must have at most 256 characters.');
  if (key.toLowerCase().startsWith('aws:'))
    throw new Refusal('InvalidParameterException', 'Tag keys that begin with aws: are reserved.');
  if (!tagText.test(key) || !tagText.test(value))
    throw new Refusal('InvalidParameterException', 'A tag holds a character that is not allowed in tags.');
}

/** @throws Refusal for more than 50 tags on one secret. */
export function checkTagCount(count: number): void {
  if (count > 50) throw new Refusal('InvalidParameterException', 'A secret can have at most 50 tags.');
}
