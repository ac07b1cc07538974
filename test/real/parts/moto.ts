// Starts moto, which answers AWS's wire protocols, on 127.0.0.1 with nothing in its accounts.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustLocate } from './locate.ts';
import { freePort, makeDirectory, removeDirectory, startServer } from './process.ts';
import { requestOk } from './request.ts';

/** A running moto. */
export interface Moto {
  /** For `AWS_ENDPOINT_URL`: every service of every region. Without a slash at the end. */
  readonly endpoint: string;
  /** Stops it and removes its files. May be called twice. */
  stop(): Promise<void>;
}

// moto refuses a template for cfn-lint's warnings too; CloudFormation itself takes it. So findings whose
// rule begins with W or I are dropped, and errors (E) stay.
const wrapper = `\
import sys, moto.cloudformation.models as models
from moto.server import main
lint = models.validate_template_cfn_lint
models.validate_template_cfn_lint = lambda t: [f for f in lint(t) if f.rule.id[0] not in "WI"]
main(sys.argv[1:])
`;

/** Starts moto and resolves when it answers. Where AWS's documents and moto differ, the documents win: it
 *  stands for wire formats, not for strictness.
 *  @throws Error when it is not installed or does not start. */
export async function startMoto(): Promise<Moto> {
  const command = mustLocate('moto');
  const files = await makeDirectory('moto');
  try {
    const port = await freePort();
    const wrapperFile = join(files, 'server.py');
    await writeFile(wrapperFile, wrapper);
    const endpoint = `http://127.0.0.1:${port}`;
    const server = await startServer({
      name: 'moto',
      command,
      args: [wrapperFile, '-H', '127.0.0.1', '-p', String(port)],
      directory: files,
      environment: {
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_DEFAULT_REGION: 'eu-central-1',
        PYTHONUNBUFFERED: '1',
      },
      probe: () => requestOk(`${endpoint}/moto-api/`),
    });
    return {
      endpoint,
      stop: async () => {
        await server.stop();
        await removeDirectory(files);
      },
    };
  } catch (error) {
    await removeDirectory(files);
    throw error;
  }
}
