// The door by which another terminal talks to a running sandbox: whose it is, and what is broken in it.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FolderOwner, readOwner } from './folder.ts';

/** Words by which an order begins. */
export const orderWords: readonly string[] = ['break', 'mend', 'broken'];

/** Orders by their words, such as `["break", "cluster"]`. Answers what is said to the person who gave it.
 *  @throws Error with what is wrong and what to do. */
export type ControlOrders = (words: readonly string[]) => Promise<string>;

export interface SandboxControl {
  /** What a folder says of the sandbox. */
  readonly owner: FolderOwner & { readonly control: NonNullable<FolderOwner['control']> };
  /** From now on orders are carried out; until then they are refused. */
  open(orders: ControlOrders): void;
  stop(): void;
}

/** Listens on a free port of 127.0.0.1, for those who know the token. */
export async function startControl(checkout: string): Promise<SandboxControl> {
  let orders: ControlOrders = async () => {
    throw new Error('the sandbox is still starting; try again in a moment');
  };
  const token = randomBytes(16).toString('hex');
  const startedAt = new Date().toISOString();
  const server = createServer((request, response) => {
    const answer = async () => {
      if (request.headers.authorization !== `Bearer ${token}`)
        return [403, 'this is not your sandbox'] as const;
      if (request.url === '/owner') return [200, JSON.stringify(owner)] as const;
      const words = new URL(request.url ?? '/', 'http://sandbox').searchParams.getAll('word');
      return [200, await orders(words)] as const;
    };
    answer().then(
      ([status, text]) => response.writeHead(status).end(text),
      (error: unknown) => response.writeHead(400).end(error instanceof Error ? error.message : String(error)),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const owner = { process: process.pid, checkout, startedAt, control: { url, token } };
  return {
    owner,
    open: (given) => {
      orders = given;
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Gives an order to the sandbox of a folder.
 *  @throws Error with what it says, or that there is none and how to start one. */
export async function giveOrder(folder: string, words: readonly string[]): Promise<string> {
  const owner = await readOwner(folder);
  const none = `no sandbox runs in ${folder}; start one with: npm run sandbox`;
  if (!owner?.control) throw new Error(none);
  const { url, token } = owner.control;
  const query = new URLSearchParams(words.map((word): [string, string] => ['word', word]));
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/order?${String(query)}`, { headers }).catch(() => {
    throw new Error(none);
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}
