// newAccount (RFC 8555 §7.3): makes an account, finds it again by its key, binds it to one that was made elsewhere (§7.3.4).
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import type { IssuerSpec } from '../../certificate/spec.ts';
import { AcmeError } from '../../ports/acme.ts';
import type { Transport } from './transport.ts';

/** Who registers where. */
export interface Registrant {
  readonly issuer: IssuerSpec;
  readonly transport: Transport;
  /** Name of the AWS secret that holds the account. */
  readonly accountSecret: string;
  /** Text of an AWS secret. */
  readonly readText: (secret: string, signal: AbortSignal) => Promise<string>;
}

/** URL of the account of this key: a new one, or the one that the CA has already (§7.3.1). The AWS secret of a binding is
 *  read only here. @throws AcmeError `Unsupported` where the CA asks for a binding and the issuer has none. */
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

/** URL of the account of this key, or `undefined` where the CA knows no such key. Makes none. @throws AcmeError. */
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

/** What to tell of an `unauthorized`: where the CA refuses the key itself, the account was deactivated or revoked (§7.3.6),
 *  which only a person can mend; else the error as it is. */
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
  const said = refused.problem?.detail ?? '';
  return new AcmeError(
    'Problem',
    `${issuer.directory} has closed the account that is kept in the AWS secret ${accountSecret} ("${said}"). A person must find out why; to go on with a new account, delete that AWS secret without a recovery window`,
    { cause: refused, problem: refused.problem },
  );
}

/** Whether the CA refused with this type. */
export function isProblem(error: unknown, type: string): error is AcmeError {
  return error instanceof AcmeError && error.problem?.type === type;
}

/** A new account key, PKCS#8 PEM. */
export function makeAccountKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

const bindingSchema = z.object({ kid: z.string().min(1), hmacKey: z.string().regex(/^[\w+/-]+={0,2}$/) });
type Binding = z.infer<typeof bindingSchema>;

async function readBinding(
  { issuer, readText }: Registrant,
  isRequired: boolean,
  signal: AbortSignal,
): Promise<Binding | undefined> {
  const form = '{"kid": "…", "hmacKey": "…"}';
  if (issuer.eab === undefined) {
    if (!isRequired) return undefined;
    const right = `put what the CA gave you into an AWS secret as ${form}, and write eab: { secret: <its name> } at the issuer`;
    throw new AcmeError(
      'Unsupported',
      `${issuer.directory} asks for external account binding (RFC 8555 §7.3.4): ${right}`,
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

/** The account's public key, signed by the key that the CA knows from elsewhere. */
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
    throw new AcmeError('Malformed', 'the CA answered for an account but did not say its URL');
  const { newAccount } = await transport.directory(signal);
  return (await transport.origins(signal)).resolve(reference, newAccount);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // V8's message would quote the key.
    return undefined;
  }
}
