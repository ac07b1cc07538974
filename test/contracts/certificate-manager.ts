// What AWS documents of Certificate Manager as far as imports use it; held against the sandbox's and against
// moto.
import {
  ACMClient,
  type ACMClientConfig,
  ImportCertificateCommand,
  type ImportCertificateCommandInput,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
} from '@aws-sdk/client-acm';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { connectCertificateManager } from '../../lib/adapters/acm/connection.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { type Minting, mintChain } from '../minting/certificates.ts';
import { promisesOf } from './promise.ts';

/** An account that nobody else uses. */
export interface Subject {
  readonly config: ACMClientConfig;
  stop(): Promise<void>;
}

const region = 'eu-central-1';
const day = 86_400_000;

/** @param weaker Titles of the promises that this part is known to break: there the test must fail. */
export function certificateManagerContract(
  part: string,
  start: () => Promise<Subject>,
  weaker: ReadonlySet<string> = new Set(),
): void {
  const promise = promisesOf(weaker);

  describe(`AWS Certificate Manager (${part})`, () => {
    let subject: Subject;
    let client: ACMClient;
    beforeAll(async () => {
      subject = await start();
      client = new ACMClient({ maxAttempts: 1, ...subject.config, region });
    });
    afterAll(async () => {
      client.destroy();
      await subject.stop();
    });

    const signal = () => AbortSignal.timeout(20_000);
    const open = () => connectCertificateManager({ region, prefix: 'certrelay', config: subject.config });
    const mint = (domain: string, more: Partial<Minting> = {}) => {
      const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
      return mintChain({ domains: [domain], ...validity, ...more });
    };
    /** Name of the error that an import gives, or `none`. */
    const refusal = async (
      material: { readonly chain: string; readonly key: string },
      more: Partial<ImportCertificateCommandInput> = {},
    ) => {
      const [leaf = '', ...others] =
        material.chain.match(/-----BEGIN[^-]*CERTIFICATE-----[^-]*-----END[^-]*-----\n/g) ?? [];
      const input = {
        Certificate: Buffer.from(leaf),
        CertificateChain: others.length > 0 ? Buffer.from(others.join('')) : undefined,
        PrivateKey: Buffer.from(material.key),
        ...more,
      };
      return client.send(new ImportCertificateCommand(input)).then(
        () => 'none',
        (error: Error) => error.name,
      );
    };

    promise(
      'an import gets an ARN, keeps it over the next one, and reads back as what was imported last',
      async () => {
        const acm = open();
        const [first, second] = [await mint('a.example.com'), await mint('b.example.com')];
        const arn = await acm.import({ name: 'a', ...first }, signal());
        expect(arn).toMatch(/^arn:aws:acm:eu-central-1:\d{12}:certificate\/[\w-]+$/);
        expect(await acm.import({ name: 'a', ...second, arn }, signal())).toBe(arn);
        const { fingerprint, keyType } = readCertificate(second.chain);
        expect(await acm.read(arn, signal())).toEqual({ arn, fingerprint, keyType });
        expect(await acm.isImported(arn, signal())).toBe(true);
        acm.close();
      },
    );

    promise(
      'a tag is given with the first import, stays, and finds it among others of the same name',
      async () => {
        const acm = open();
        const arn = await acm.import({ name: 'tagged', ...(await mint('tagged.example.com')) }, signal());
        await acm.import({ name: 'other', ...(await mint('tagged.example.com')) }, signal());
        await acm.import({ name: 'tagged', ...(await mint('tagged.example.com')), arn }, signal());
        expect(await acm.find('tagged', ['tagged.example.com'], signal())).toEqual([arn]);
        const { Tags } = await client.send(new ListTagsForCertificateCommand({ CertificateArn: arn }));
        expect(Tags).toEqual([{ Key: 'certrelay:certificate', Value: 'certrelay/tagged' }]);
        acm.close();
      },
    );

    promise('what is not there is absent', async () => {
      const acm = open();
      const arn = 'arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
      expect(await acm.read(arn, signal())).toBeUndefined();
      await expect(
        acm.import({ name: 'a', ...(await mint('a.example.com')), arn }, signal()),
      ).rejects.toMatchObject({
        code: 'NotFound',
      });
      acm.close();
    });

    promise(
      'types of keys other than RSA of 2048 bits are listed only where they are asked for',
      async () => {
        expect(await refusal(await mint('listed.example.com'))).toBe('none');
        const names = async (keyTypes?: ('EC_prime256v1' | 'RSA_2048')[]) => {
          const { CertificateSummaryList } = await client.send(
            new ListCertificatesCommand(keyTypes ? { Includes: { keyTypes } } : {}),
          );
          return CertificateSummaryList?.map(({ DomainName }) => DomainName);
        };
        expect(await names()).not.toContain('listed.example.com');
        expect(await names(['EC_prime256v1', 'RSA_2048'])).toContain('listed.example.com');
      },
    );

    promise('an import over an ARN takes no tags', async () => {
      const acm = open();
      const arn = await acm.import({ name: 'a', ...(await mint('a.example.com')) }, signal());
      const more = { CertificateArn: arn, Tags: [{ Key: 'team', Value: 'shop' }] };
      expect(await refusal(await mint('a.example.com'), more)).toBe('ValidationException');
      acm.close();
    });

    promise('the type of the key stays under an ARN', async () => {
      const acm = open();
      const arn = await acm.import({ name: 'a', ...(await mint('a.example.com')) }, signal());
      const other = await mint('a.example.com', { keyType: 'rsa-2048' });
      expect(await refusal(other, { CertificateArn: arn })).toBe('ValidationException');
      acm.close();
    });

    promise('a key of another certificate is refused', async () => {
      const [one, other] = [await mint('a.example.com'), await mint('a.example.com')];
      expect(await refusal({ chain: one.chain, key: other.key })).toBe('ValidationException');
    });

    promise('a certificate that has ended is refused', async () => {
      const ended = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) };
      expect(await refusal(await mint('a.example.com', ended))).toBe('ValidationException');
    });

    promise('a chain that does not sign the certificate is refused, and so is none', async () => {
      const [one, other] = [await mint('a.example.com'), await mint('a.example.com')];
      const [leaf = ''] = one.certificates;
      const key = { key: one.key };
      expect(await refusal({ chain: leaf + other.certificates.slice(1).join(''), ...key })).toBe(
        'ValidationException',
      );
      expect(await refusal({ chain: leaf, ...key })).toBe('ValidationException');
    });
  });
}
