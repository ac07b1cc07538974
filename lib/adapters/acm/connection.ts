// Connects to AWS Certificate Manager in one region.

import {
  ACMClient,
  type ACMClientConfig,
  type CertificateSummary,
  DescribeCertificateCommand,
  GetCertificateCommand,
  ImportCertificateCommand,
  KeyAlgorithm,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
} from '@aws-sdk/client-acm';
import { keepFailures, once } from '../../async/promise-cache.ts';
import { certificatesIn } from '../../certificate/pem.ts';
import { readCertificate } from '../../certificate/x509.ts';
import type { AcmCertificate } from '../../policy/delivery/acm.ts';
import { type CertificateManager, CertificateManagerError } from '../../ports/acm.ts';
import { awsTimeouts } from '../aws/timeouts.ts';
import { callAcm, certificateTag } from './calls.ts';

/** Which region, and how it is reached. */
export interface AcmOptions {
  readonly region: string;
  /** The installation's prefix. It is part of our tag, so that two installations in one account do not touch
   *  each other's certificates. */
  readonly prefix: string;
  /** Overrides what the SDK reads from the environment (credentials, endpoint). */
  readonly config?: ACMClientConfig;
}

/** ACM in one region. The first call opens a connection. The SDK tries a call up to 3 times after a temporary
 *  failure, except an import without ARN. */
export function connectCertificateManager({ region, prefix, config }: AcmOptions): CertificateManager {
  // If the answer to an import without ARN is lost, a second attempt would make a second certificate.
  // The next run finds the first one by its tag.
  const make = (maxAttempts: number) =>
    new ACMClient({ requestHandler: awsTimeouts, maxAttempts, ...config, region });
  const [client, singleTry] = [make(3), make(1)];
  const tagValue = (name: string) => `${prefix}/${name}`;
  const imported = once((signal: AbortSignal) => listImported(client, signal), keepFailures);
  return {
    async read(arn, signal) {
      const response = await unlessMissing(
        callAcm('GetCertificate', arn, signal, (options) =>
          client.send(new GetCertificateCommand({ CertificateArn: arn }), options),
        ),
      );
      return response && describe(arn, response.Certificate);
    },

    async isImported(arn, signal) {
      const { Certificate } = await callAcm('DescribeCertificate', arn, signal, (options) =>
        client.send(new DescribeCertificateCommand({ CertificateArn: arn }), options),
      );
      return Certificate?.Type === 'IMPORTED';
    },

    async find(name, domains, signal) {
      const arns = (await imported(signal))
        .filter((summary) => isFor(summary, domains))
        .map((summary) => summary.CertificateArn ?? '');
      const tagged = await Promise.all(
        arns.map(async (arn) => {
          const tags = await unlessMissing(
            callAcm('ListTagsForCertificate', arn, signal, (options) =>
              client.send(new ListTagsForCertificateCommand({ CertificateArn: arn }), options),
            ),
          );
          const isOurs = tags?.Tags?.some(
            ({ Key, Value }) => Key === certificateTag && Value === tagValue(name),
          );
          return isOurs ? [arn] : [];
        }),
      );
      return tagged.flat().toSorted();
    },

    async import({ name, chain, key, arn }, signal) {
      const [leaf = '', ...others] = certificatesIn(chain).map((pem) => `${pem}\n`);
      const command = new ImportCertificateCommand({
        Certificate: Buffer.from(leaf),
        PrivateKey: Buffer.from(key),
        CertificateChain: others.length > 0 ? Buffer.from(others.join('')) : undefined,
        // ACM accepts no tags together with an ARN; the certificate keeps those that it has.
        ...(arn === undefined
          ? { Tags: [{ Key: certificateTag, Value: tagValue(name) }] }
          : { CertificateArn: arn }),
      });
      const sender = arn === undefined ? singleTry : client;
      const response = await callAcm('ImportCertificate', arn ?? 'a new certificate', signal, (options) =>
        sender.send(command, options),
      );
      return response.CertificateArn ?? arn ?? '';
    },

    close() {
      client.destroy();
      singleTry.destroy();
    },
  };
}

/** All imported certificates in the region. ACM lists some key types only if the request names them. */
async function listImported(client: ACMClient, signal: AbortSignal): Promise<readonly CertificateSummary[]> {
  const summaries: CertificateSummary[] = [];
  let token: string | undefined;
  do {
    const command = new ListCertificatesCommand({
      Includes: { keyTypes: Object.values(KeyAlgorithm) },
      MaxItems: 1000,
      NextToken: token,
    });
    const page = await callAcm('ListCertificates', 'the list of certificates', signal, (options) =>
      client.send(command, options),
    );
    summaries.push(...(page.CertificateSummaryList ?? []).filter(({ Type }) => Type === 'IMPORTED'));
    token = page.NextToken;
  } while (token !== undefined);
  return summaries;
}

/** Whether the certificate has one of the names. */
function isFor(
  { DomainName, SubjectAlternativeNameSummaries = [] }: CertificateSummary,
  domains: readonly string[],
) {
  return [DomainName, ...SubjectAlternativeNameSummaries].some(
    (name) => name !== undefined && domains.includes(name.toLowerCase()),
  );
}

function describe(arn: string, pem: string | undefined): AcmCertificate {
  try {
    const { fingerprint, keyType } = readCertificate(pem ?? '');
    return { arn, fingerprint, keyType };
  } catch (cause) {
    throw new CertificateManagerError('Failed', `ACM's answer for ${arn} contains no certificate`, { cause });
  }
}

/** The result of a call; `undefined` if ACM answers that there is no such certificate. */
async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof CertificateManagerError && error.code === 'NotFound') return undefined;
    throw error;
  }
}
