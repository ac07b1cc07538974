// AWS Certificate Manager in one region, for the deploy story.

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

export interface AcmOptions {
  readonly region: string;
  /** First part of every AWS secret's name: what the tag says goes by it, so that two installations in one account leave
   *  each other's imports alone. */
  readonly prefix: string;
  /** Beside what the environment says (credentials, endpoint). */
  readonly config?: ACMClientConfig;
}

/** Opens no connection before the first call. Calls are tried three times where that may help. */
export function connectCertificateManager({ region, prefix, config }: AcmOptions): CertificateManager {
  // An import whose answer is lost would make a second ARN, so the run after it looks for the first one instead.
  const make = (maxAttempts: number) =>
    new ACMClient({ requestHandler: awsTimeouts, maxAttempts, ...config, region });
  const [client, singleTry] = [make(3), make(1)];
  const tagValue = (name: string) => `${prefix}/${name}`;
  const imported = once((signal: AbortSignal) => listImported(client, signal), keepFailures);
  return {
    async read(arn, signal) {
      const answer = await unlessMissing(
        callAcm('GetCertificate', arn, signal, (options) =>
          client.send(new GetCertificateCommand({ CertificateArn: arn }), options),
        ),
      );
      return answer && describe(arn, answer.Certificate);
    },

    async isImported(arn, signal) {
      const { Certificate } = await callAcm('DescribeCertificate', arn, signal, (options) =>
        client.send(new DescribeCertificateCommand({ CertificateArn: arn }), options),
      );
      return Certificate?.Type === 'IMPORTED';
    },

    async find(name, domains, signal) {
      const arns = (await imported(signal))
        .filter((one) => isFor(one, domains))
        .map((one) => one.CertificateArn ?? '');
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
        // ACM takes no tags with an ARN; those that are there stay.
        ...(arn === undefined
          ? { Tags: [{ Key: certificateTag, Value: tagValue(name) }] }
          : { CertificateArn: arn }),
      });
      const sender = arn === undefined ? singleTry : client;
      const answer = await callAcm('ImportCertificate', arn ?? 'a new certificate', signal, (options) =>
        sender.send(command, options),
      );
      return answer.CertificateArn ?? arn ?? '';
    },

    close() {
      client.destroy();
      singleTry.destroy();
    },
  };
}

/** Every imported certificate of the region. ACM lists some types of keys only where they are asked for. */
async function listImported(client: ACMClient, signal: AbortSignal): Promise<readonly CertificateSummary[]> {
  const found: CertificateSummary[] = [];
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
    found.push(...(page.CertificateSummaryList ?? []).filter(({ Type }) => Type === 'IMPORTED'));
    token = page.NextToken;
  } while (token !== undefined);
  return found;
}

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
    throw new CertificateManagerError('Failed', `ACM's answer for ${arn} holds no certificate`, { cause });
  }
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CertificateManagerError && error.code === 'NotFound') return undefined;
    throw error;
  }
}
