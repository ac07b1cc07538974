// Answers of CAs that are not Let's Encrypt, as their documents, sources and users' reports show them (each
// file names them): the adapter reads every one.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Authorities } from '../../lib/adapters/acme/accounts.ts';
import { answer, type ScriptedCa, startScriptedCa } from '../fakes/scripted-ca.ts';
import { failure, signal } from './harness.ts';
import { openScripted } from './scripted-harness.ts';

const body = z.record(z.string(), z.unknown());
const located = z.object({ location: z.string(), body });
const corpus = z.object({
  ca: z.string(),
  sources: z.array(z.url()).min(1),
  says: z.string(),
  directory: body,
  account: located,
  newOrder: located,
  authorization: body,
  /** The order after finalize. */
  finalized: body,
  problem: z.object({ status: z.int(), contentType: z.string(), body }),
  /** What the adapter makes of them; `challenge` is the URL of its dns-01. */
  expected: z.object({
    challenge: z.string(),
    isWildcard: z.boolean().default(false),
    finalized: body,
    problem: z.string(),
  }),
});
type Corpus = z.infer<typeof corpus>;

const folder = join(import.meta.dirname, 'corpus');
const files = await readdir(folder);
let ca: ScriptedCa;
let authorities: Authorities;

beforeEach(async () => {
  ca = await startScriptedCa();
  authorities = openScripted(ca);
});
afterEach(async () => {
  await authorities.close();
  await ca.stop();
});

/** Lets the CA answer as the file says. */
async function play(file: string): Promise<Corpus> {
  const text = await readFile(join(folder, file), 'utf8');
  const played = corpus.parse(JSON.parse(text.replaceAll('{base}', ca.base)));
  const { directory, account, newOrder, authorization, finalized } = played;
  const path = (url: unknown) => new URL(String(url)).pathname;
  const serve = (url: unknown, status: number, content: object, location?: string) =>
    ca.routes.set(path(url), (response) =>
      answer(response, status, content, location === undefined ? {} : { location }),
    );
  serve(ca.directory, 200, directory);
  ca.routes.set(path(directory.newNonce), (response) => response.end());
  serve(directory.newAccount, 201, account.body, account.location);
  serve(directory.newOrder, 201, newOrder.body, newOrder.location);
  serve(newOrder.location, 200, finalized);
  serve(newOrder.body.finalize, 200, finalized);
  for (const url of z.array(z.string()).parse(newOrder.body.authorizations)) serve(url, 200, authorization);
  return played;
}

describe.each(files)('%s', (file) => {
  it('is read from the directory to the finalized order', async () => {
    const { newOrder, expected } = await play(file);
    const authority = await authorities.connect('default', signal);
    const domains = [`${expected.isWildcard ? '*.' : ''}a.example.com`];
    const order = await authority.newOrder({ domains }, signal);
    expect(order).toMatchObject({ status: 'pending', url: newOrder.location });
    const authorization = await authority.readAuthorization(order.authorizations[0] ?? '', signal);
    expect(authorization).toMatchObject({ name: 'a.example.com', isWildcard: expected.isWildcard });
    expect(authority.proofOf(authorization)).toMatchObject({
      name: '_acme-challenge.a.example.com',
      challenge: { url: expected.challenge, problem: undefined },
    });
    const { certificate, ...finalized } = await authority.readOrder(order.url, signal);
    expect({ ...finalized, ...(certificate === undefined ? {} : { certificate }) }).toMatchObject(
      expected.finalized,
    );
    expect(certificate).toBe(expected.finalized.certificate);
  });

  it('and its refusal by the type of the problem', async () => {
    const { directory, problem, expected } = await play(file);
    const authority = await authorities.connect('default', signal);
    ca.routes.set(new URL(String(directory.newOrder)).pathname, (response) =>
      response
        .writeHead(problem.status, { 'content-type': problem.contentType })
        .end(JSON.stringify(problem.body)),
    );
    const error = await failure(authority.newOrder({ domains: ['a.example.com'] }, signal));
    expect(error).toMatchObject({ code: 'Problem', problem: { type: expected.problem } });
  });
});

it('has answers of Vault, step-ca, Dogtag, EJBCA, a commercial CA and AD CS', () => {
  expect(files.sort()).toEqual([
    'adcs.json',
    'dogtag.json',
    'ejbca.json',
    'step-ca.json',
    'vault.json',
    'zerossl.json',
  ]);
});
