// An AWS that only a test knows: all services at one endpoint, each answer in the form of its API.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keys } from './harness.ts';

/** What AWS answers to an action (`about` and `body` of the request): a body, or an error's code.
 *  `undefined`: it knows no such action. */
export type AnswerAction = (
  action: string,
  about: string,
  body: string,
) => { readonly body: string } | { readonly code: string; readonly message?: string } | undefined;

/** An entry of a list in a Query protocol. */
export const member = (fields: Readonly<Record<string, string>>) =>
  `<member>${Object.entries(fields)
    .map(([name, text]) => `<${name}>${text}</${name}>`)
    .join('')}</member>`;

/** The answer of a Query protocol. */
export const xml = (action: string, content: string) => ({
  body: `<${action}Response><${action}Result>${content}</${action}Result></${action}Response>`,
});

/** An answer in JSON. */
export const json = (value: object) => ({ body: JSON.stringify(value) });

/** Starts it. Actions are `GetCallerIdentity`, or `Invoke` and the like about the name of a
 *  function, or about the token of a next page. */
export async function startScriptedAws(answer: AnswerAction): Promise<{
  readonly env: Readonly<Record<string, string>>;
  stop(): void;
}> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const { action, about, isXml } = readAction(request, body);
      const given = answer(action, about, body) ?? { code: 'InvalidAction' };
      if ('body' in given) return void response.end(given.body);
      const { code, message = `words about ${code}` } = given;
      const xml = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
      response.writeHead(400, {
        'x-amzn-errortype': code,
        'content-type': isXml ? 'text/xml' : 'application/json',
      });
      response.end(isXml ? xml : JSON.stringify({ __type: code, message, Message: message }));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    env: { ...keys, AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function readAction({ url = '', headers }: IncomingMessage, body: string) {
  const [, name, operation] = /functions\/([^/]+)\/(invocations|configuration)/.exec(url) ?? [];
  if (name !== undefined) {
    const action = operation === 'invocations' ? 'Invoke' : 'GetFunctionConfiguration';
    return { action, about: name.replace('certrelay-dev-', ''), isXml: false };
  }
  if (url.includes('account-settings')) return { action: 'GetAccountSettings', about: '', isXml: false };
  const target = headers['x-amz-target'];
  if (typeof target === 'string') return { action: target.split('.')[1] ?? '', about: '', isXml: false };
  const parameters = new URLSearchParams(body);
  const page = parameters.get('NextToken') ?? '';
  return { action: parameters.get('Action') ?? '', about: page, isXml: true };
}
