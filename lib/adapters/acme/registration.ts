// Registers an ACME account, or finds it by its key (newAccount, RFC 8555 §7.3, external binding §7.3.4).
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import type { IssuerSpec } from '../../certificate/spec.ts';
import { AcmeError } from '../../ports/acme.ts';
import type { Transport } from './transport.ts';

/** The issuer that registers an account, and how its CA is reached. */
export interface Registrant {
  readonly issuer: IssuerSpec;
  readonly transport: Transport;
  /** Name of the AWS secret that the account is stored in; error messages name it. */
  readonly accountSecret: string;
  /** Reads the AWS secret of an external account binding as text. */
  readonly readText: (secret: string, signal: AbortSignal) => Promise<string>;
}

/** Registers a key and returns the URL of its account. A key that the CA knows keeps its account (§7.3.1),
 *  so it may be called twice. Only here the AWS secret of an external account binding is read.
 *  @throws AcmeError `Unsupported` if the CA asks for a binding and the issuer has none, or it cannot be
 *  read. */
export async function registerAccount(
  key: KeyObject,
  registrant: Registrant,
  signal: AbortSignal,
): Promise<string> {
  const { issuer, transport } = registrant;
  const { newAccount, meta } = await transport.directory(signal);
  const binding = await readBinding(registrant, meta?.externalAccountRequired ?? false, signal);
  const signer = transport.signer(key);
  const payload = {
    termsOfServiceAgreed: issuer.agreeToTerms,
    ...(issuer.contact.length > 0 ? { contact: issuer.contact } : {}),
    ...(binding ? { externalAccountBinding: bind(binding, newAccount, signer.getJwk()) } : {}),
  };
  try {
    const { headers } = await transport.post(newAccount, payload, { signer }, signal);
    return await requireLocation(headers.location, transport, signal);
  } catch (error) {
    throw isProblem(error, 'unauthorized') ? await explainRefusal(error, key, registrant, signal) : error;
  }
}

/** URL of the account of a key; `undefined` if the CA does not know the key. Registers nothing.
 *  @throws AcmeError as `Transport.post`. */
export async function findAccount(
  key: KeyObject,
  transport: Transport,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { newAccount } = await transport.directory(signal);
  const by = { signer: transport.signer(key) };
  try {
    const { headers } = await transport.post(newAccount, { onlyReturnExisting: true }, by, signal);
    return await requireLocation(headers.location, transport, signal);
  } catch (error) {
    if (isProblem(error, 'accountDoesNotExist')) return undefined;
    throw error;
  }
}

/** The error to throw for an `unauthorized` refusal. If the CA refuses the key itself too, the account was
 *  deactivated or revoked (§7.3.6), and the new error says what a person must do. Else `error` unchanged. */
export async function explainRefusal(
  error: AcmeError,
  key: KeyObject,
  { issuer, transport, accountSecret }: Registrant,
  signal: AbortSignal,
): Promise<AcmeError> {
  const refused = await findAccount(key, transport, signal).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!isProblem(refused, 'unauthorized')) return error;
  const detail = refused.problem?.detail ?? '';
  return new AcmeError(
    'Problem',
    `${issuer.directory} has closed the account that is kept in the AWS secret ${accountSecret} ("${detail}"). Find out why; to go on with a new account, delete that AWS secret: aws secretsmanager delete-secret --force-delete-without-recovery --secret-id ${accountSecret}`,
    { cause: refused, problem: refused.problem },
  );
}

/** Whether the error is the CA's refusal with this problem type, e.g. `rateLimited`. */
export function isProblem(error: unknown, type: string): error is AcmeError {
  return error instanceof AcmeError && error.problem?.type === type;
}

/** A new account key (P-256) as PKCS#8 PEM. */
export function makeAccountKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

const bindingSchema = z.object({ kid: z.string().min(1), hmacKey: z.string().regex(/^[\w+/-]+={0,2}$/) });
/** A CA's name for its customer, and the key that it gave it. */
type Binding = z.infer<typeof bindingSchema>;

/** The issuer's external account binding; `undefined` if it has none, and needs none.
 *  @throws AcmeError `Unsupported` if the CA asks for one, or the AWS secret does not hold one. */
export async function readBinding(
  { issuer, readText }: Registrant,
  isRequired: boolean,
  signal: AbortSignal,
): Promise<Binding | undefined> {
  const form = '{"kid": "…", "hmacKey": "…"}';
  if (issuer.eab === undefined) {
    if (!isRequired) return undefined;
    const advice = `put the key id and the key from your CA into an AWS secret as ${form}, and write eab: { secret: <its name> } at the issuer`;
    throw new AcmeError(
      'Unsupported',
      `${issuer.directory} asks for external account binding (RFC 8555 §7.3.4): ${advice}`,
    );
  }
  const { secret } = issuer.eab;
  const binding = bindingSchema.safeParse(parseJson(await readText(secret, signal)));
  if (binding.success) return binding.data;
  throw new AcmeError(
    'Unsupported',
    `the AWS secret ${secret} does not hold an external account binding; write it as JSON, ${form}, with the key in base64url`,
  );
}

/** The binding object: the account's public key, signed with the HMAC key that the CA gave to its
 *  customer. */
function bind({ kid, hmacKey }: Binding, url: string, jwk: object): object {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = encode({ alg: 'HS256', kid, url });
  const payload = encode(jwk);
  const mac = createHmac('sha256', Buffer.from(hmacKey, 'base64url')).update(`${header}.${payload}`);
  return { protected: header, payload, signature: mac.digest('base64url') };
}

async function requireLocation(
  reference: string | undefined,
  transport: Transport,
  signal: AbortSignal,
): Promise<string> {
  if (reference === undefined)
    throw new AcmeError('Malformed', 'the CA answered newAccount without the URL of the account (Location)');
  const { newAccount } = await transport.directory(signal);
  return (await transport.origins(signal)).resolve(reference, newAccount);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The message of V8's error would quote the HMAC key.
    return undefined;
  }
}
