// Starts Pebble, the small ACME server for tests, on 127.0.0.1 with no accounts and no orders.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustLocate } from './locate.ts';
import { freePorts, makeDirectory, removeDirectory, startServer } from './process.ts';
import { request, requestOk } from './request.ts';
import { makeServingCertificate } from './serving-certificate.ts';

/** How this Pebble differs from a plain one. */
export interface PebbleOptions {
  /** `host:port` of the DNS server (UDP and TCP) that its validation asks. */
  readonly dnsServer: string;
  /** `PEBBLE_…` variables. Unless given here, validation does not sleep (`PEBBLE_VA_NOSLEEP=1`), no nonce
   *  is refused (`PEBBLE_WFE_NONCEREJECT=0`), and no authorization is reused (`PEBBLE_AUTHZREUSE=0`). */
  readonly environment?: Readonly<Record<string, string>>;
  /** Keys of Pebble's configuration file, laid over the plain ones: `profiles`, `keyAlgorithm`, `retryAfter`,
   *  `externalAccountBindingRequired`, `externalAccountMACKeys`, `domainBlocklist`, … */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Turns on behaviour that a later version will require. */
  readonly strict?: boolean;
}

/** A running Pebble. */
export interface Pebble {
  /** URL of its directory (RFC 8555 §7.1.1). */
  readonly directory: string;
  /** PEM file of the authority that its HTTPS certificate comes from; not what it issues with. */
  readonly caFile: string;
  /** Without a slash at the end: `/roots/0`, `/set-renewal-info/`, `/cert-status-by-serial/<hex>`. */
  readonly managementUrl: string;
  /** PEM of each root that it issues under, one per chain that it offers; the default chain's first. */
  roots(): Promise<readonly string[]>;
  /** Stops it and removes its files. May be called twice. */
  stop(): Promise<void>;
}

/** Starts Pebble and resolves when its directory answers.
 *  @throws Error when it is not installed or does not start. */
export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const command = mustLocate('pebble');
  const files = await makeDirectory('pebble');
  try {
    const [port = 0, managementPort = 0, httpPort = 0, tlsPort = 0] = await freePorts(4);
    const { caFile, certificateFile, keyFile } = await makeServingCertificate(files);
    const config = {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${managementPort}`,
      certificate: certificateFile,
      privateKey: keyFile,
      httpPort,
      tlsPort,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
      keyAlgorithm: 'ecdsa',
      retryAfter: { authz: 1, order: 1 },
      profiles: { classic: { description: 'ninety days', validityPeriod: 90 * 86_400 } },
      ...options.config,
    };
    const configFile = join(files, 'pebble.json');
    await writeFile(configFile, JSON.stringify({ pebble: config }, undefined, 2));

    const ca = await readFile(caFile, 'utf8');
    const directory = `https://127.0.0.1:${port}/dir`;
    const managementUrl = `https://127.0.0.1:${managementPort}`;
    const server = await startServer({
      name: 'pebble',
      command,
      args: ['-config', configFile, '-dnsserver', options.dnsServer, ...(options.strict ? ['-strict'] : [])],
      directory: files,
      environment: {
        PEBBLE_VA_NOSLEEP: '1',
        PEBBLE_WFE_NONCEREJECT: '0',
        PEBBLE_AUTHZREUSE: '0',
        ...options.environment,
      },
      probe: async () => {
        await requestOk(directory, { ca });
        await requestOk(`${managementUrl}/roots/0`, { ca });
      },
    });
    return {
      directory,
      caFile,
      managementUrl,
      roots: () => readRoots(managementUrl, ca),
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

async function readRoots(managementUrl: string, ca: string): Promise<readonly string[]> {
  const roots: string[] = [];
  for (;;) {
    const { status, body } = await request(`${managementUrl}/roots/${roots.length}`, { ca });
    if (status !== 200) return roots;
    roots.push(body);
  }
}

/** Settings of a Pebble that binds accounts to its customers, has three roots and two profiles, and refuses
 *  one nonce in five. */
export function strictPebble(
  dnsServer: string,
  eab: { readonly kid: string; readonly hmacKey: string },
): PebbleOptions {
  return {
    dnsServer,
    strict: true,
    environment: {
      PEBBLE_ALTERNATE_ROOTS: '2',
      PEBBLE_CHAIN_LENGTH: '3',
      PEBBLE_WFE_NONCEREJECT: '20',
    },
    config: {
      externalAccountBindingRequired: true,
      externalAccountMACKeys: { [eab.kid]: eab.hmacKey },
      profiles: {
        classic: { description: 'ninety days', validityPeriod: 90 * 86_400 },
        shortlived: { description: 'six days', validityPeriod: 6 * 86_400 },
      },
    },
  };
}
