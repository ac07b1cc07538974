// Mints the certificate with which a real server on 127.0.0.1 is served, and the authority above it.

import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** PEM files: the authority to trust, and what the server serves with. */
export interface ServingCertificate {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Makes a throw-away authority and a certificate of it for `localhost` and 127.0.0.1, valid for two days,
 *  as files in the directory. The authority's key is removed at once. Needs OpenSSL 3 on the PATH. */
export async function makeServingCertificate(directory: string): Promise<ServingCertificate> {
  const caFile = join(directory, 'ca.pem');
  const caKeyFile = join(directory, 'ca.key');
  const certificateFile = join(directory, 'serving.pem');
  const keyFile = join(directory, 'serving.key');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];

  const authority = ['-subj', '/CN=throw-away test CA', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  await run('openssl', ['req', '-x509', ...key, ...authority, '-keyout', caKeyFile, '-out', caFile]);

  const serving = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'extendedKeyUsage=serverAuth'];
  const issuer = ['-CA', caFile, '-CAkey', caKeyFile];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  await run('openssl', ['req', '-x509', ...key, ...serving, ...leaf, ...issuer, ...files]);
  await rm(caKeyFile);
  return { caFile, certificateFile, keyFile };
}
