// AWS STS for the sandbox: AssumeRole over its Query protocol, as strict as its API Reference.
import { type Answer, type Part, type Request, type Surroundings, serve } from '../http-server.ts';
import { readSignature } from '../principal.ts';
import { type RoleSpec, type Sessions, trusts } from './sessions.ts';

export interface Sts {
  /** For `AWS_ENDPOINT_URL_STS`. */
  readonly url: string;
  stop(): Promise<void>;
}

class Refusal extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** A role assumed by a role, as every function is one: an hour at most (IAM User Guide, "role chaining"). */
const longestChained = 3_600;
const [shortest, longest] = [900, 43_200];

/** The parameters with the form that the API Reference gives them. */
const forms = {
  RoleArn: /^[\t\n\r\x20-\x7e\x85\xa0-\ufffd]{20,2048}$/,
  RoleSessionName: /^[\w+=,.@-]{2,64}$/,
  ExternalId: /^[\w+=,.@:/-]{2,1224}$/,
} as const;

export async function startSts(sessions: Sessions, surroundings: Surroundings): Promise<Sts> {
  const part: Part = {
    service: 'sts',
    describe(request) {
      const parameters = new URLSearchParams(request.body.toString());
      const action = parameters.get('Action');
      if (action === null) return undefined;
      const caller = sessions.identify(request.headers);
      const principal = 'code' in caller ? 'unknown' : caller.principal;
      const resource = parameters.get('RoleArn') ?? '*';
      const sessionName = parameters.get('RoleSessionName');
      const conditions = {
        'sts:RoleSessionName': sessionName === null ? [] : [sessionName],
        'sts:ExternalId': parameters.getAll('ExternalId'),
      };
      const needs = [{ action: `sts:${action}`, resource, conditions }];
      return { action, resource, principal, detail: { sessionName }, needs };
    },
    handle(request) {
      try {
        return carryOut(request, sessions);
      } catch (error) {
        if (error instanceof Refusal) return refuse(error.code, error.status, error.message);
        throw error;
      }
    },
    refuse,
    denials: {
      denied: { code: 'AccessDenied', status: 403 },
      unknown: { code: 'InvalidClientTokenId', status: 403 },
    },
  };
  const server = await serve(part, surroundings);
  return { url: server.url, stop: () => server.stop() };
}

function carryOut({ headers, body }: Request, sessions: Sessions): Answer {
  const caller = sessions.identify(headers);
  if ('code' in caller) throw new Refusal(caller.code, caller.message, 403);
  if (readSignature(headers.authorization)?.service !== 'sts') {
    throw new Refusal(
      'SignatureDoesNotMatch',
      "Credential should be scoped to correct service: 'sts'. ",
      403,
    );
  }
  const parameters = new URLSearchParams(body.toString());
  const [action, version] = [parameters.get('Action'), parameters.get('Version')];
  if (action !== 'AssumeRole' || version !== '2011-06-15') {
    throw new Refusal('InvalidAction', `Could not find operation ${action} for version ${version}`);
  }
  for (const name of ['RoleArn', 'RoleSessionName', 'ExternalId'] as const) checkForm(name, parameters);
  const arn = parameters.get('RoleArn') ?? '';
  const externalId = parameters.get('ExternalId') ?? undefined;
  const role = sessions.roles.find((one) => one.arn === arn);
  // The same answer where there is no such role: nobody learns from it which there are.
  if (!role || !trusts(role, caller, externalId)) {
    const message = `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${arn}`;
    throw new Refusal('AccessDenied', message, 403);
  }
  const seconds = readDuration(parameters.get('DurationSeconds'), role);
  return describeSession(sessions.open(role, parameters.get('RoleSessionName') ?? '', seconds), role);
}

function checkForm(name: keyof typeof forms, parameters: URLSearchParams): void {
  const value = parameters.get(name);
  if (value === null && name === 'ExternalId') return;
  if (value !== null && forms[name].test(value)) return;
  const member = name.charAt(0).toLowerCase() + name.slice(1);
  const shown = value === null ? 'Value null' : `Value '${value}'`;
  throw new Refusal(
    'ValidationError',
    `1 validation error detected: ${shown} at '${member}' failed to satisfy constraint: Member must satisfy its pattern and length`,
  );
}

function readDuration(text: string | null, { maxSessionSeconds = 3_600 }: RoleSpec): number {
  if (text === null) return Math.min(3_600, maxSessionSeconds);
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < shortest || seconds > longest) {
    const message = `1 validation error detected: Value '${text}' at 'durationSeconds' failed to satisfy constraint: Member must have value between ${shortest} and ${longest}`;
    throw new Refusal('ValidationError', message);
  }
  if (seconds > maxSessionSeconds) {
    const message = 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.';
    throw new Refusal('ValidationError', message);
  }
  if (seconds > longestChained) {
    const message =
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.';
    throw new Refusal('ValidationError', message);
  }
  return seconds;
}

function describeSession(
  { accessKey, secretKey, token, expires, caller }: ReturnType<Sessions['open']>,
  role: RoleSpec,
): Answer {
  const credentials = [
    element('AccessKeyId', accessKey),
    element('SecretAccessKey', secretKey),
    element('SessionToken', token),
    // To the second, as STS writes it.
    element('Expiration', expires.toISOString().replace(/\.\d+Z$/, 'Z')),
  ].join('');
  const id = `AROA${Buffer.from(role.arn).toString('hex').slice(0, 16).toUpperCase()}:${caller.arn.split('/').at(-1)}`;
  const user = `<Arn>${caller.arn}</Arn><AssumedRoleId>${id}</AssumedRoleId>`;
  const result = `<Credentials>${credentials}</Credentials><AssumedRoleUser>${user}</AssumedRoleUser>`;
  return answer(200, 'AssumeRoleResponse', `<AssumeRoleResult>${result}</AssumeRoleResult>${metadata}`);
}

const requestId = '<RequestId>00000000-0000-4000-8000-000000000000</RequestId>';
const metadata = `<ResponseMetadata>${requestId}</ResponseMetadata>`;

function refuse(code: string, status: number, message: string): Answer {
  const type = element('Type', status < 500 ? 'Sender' : 'Receiver');
  const error = `<Error>${type}${element('Code', code)}${element('Message', message)}</Error>`;
  return answer(status, 'ErrorResponse', error + requestId);
}

function element(name: string, text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<${name}>${escaped}</${name}>`;
}

function answer(status: number, root: string, content: string): Answer {
  const body = `<${root} xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${content}</${root}>`;
  return { status, headers: { 'content-type': 'text/xml' }, body };
}
