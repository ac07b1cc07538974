// AWS Certificate Manager for the sandbox: its AWS JSON 1.1 protocol over HTTP, every region behind one
// address.
import { X509Certificate } from 'node:crypto';
import 'reflect-metadata';
import * as z from 'zod';
import { answer, readJson, refuse } from '../aws-json.ts';
import { type Part, type Request, type Surroundings, serve } from '../http-server.ts';
import { tagConditions } from '../iam/condition-keys.ts';
import { readSignature } from '../principal.ts';
import { AcmCertificates, type AcmEntry, account, keyAlgorithmOf } from './certificates.ts';
import { Refusal } from './refusal.ts';

export interface SandboxAcm {
  /** For `AWS_ENDPOINT_URL_ACM`. */
  readonly url: string;
  /** Certificates without the protocol: to look at, and to change as a person in the console would. */
  readonly certificates: AcmCertificates;
  stop(): Promise<void>;
}

type Action = (certificates: AcmCertificates, region: string, input: unknown) => object;

const target = /^CertificateManager\.(\w+)$/;
const pem = z.string().transform((base64) => Buffer.from(base64, 'base64').toString());
const tag = z.object({ Key: z.string(), Value: z.string().default('') });
const named = z.object({ CertificateArn: z.string() });
const asked = z.object({ CertificateArn: z.string().optional(), Tags: z.array(tag).optional() });

/** Starts it with nothing imported. Only signed requests are answered. */
export async function startAcm({
  now = () => new Date(),
  ...surroundings
}: Surroundings & { readonly now?: () => Date }): Promise<SandboxAcm> {
  const certificates = new AcmCertificates(now);
  const part: Part = {
    service: 'acm',
    describe(request) {
      const action = actionOf(request);
      if (action === undefined) return undefined;
      const { principal = 'unknown', region = '' } = readSignature(request.headers.authorization) ?? {};
      const { CertificateArn: arn, Tags = [] } = asked.safeParse(readJson(request)).data ?? {};
      // What IAM is asked about: an import without ARN is about any certificate of the region.
      const anew = action === 'ListCertificates' ? '*' : `arn:aws:acm:${region}:${account}:certificate/*`;
      const resource = arn ?? anew;
      const requestTags = Tags.map(({ Key, Value }) => [Key, Value] as const);
      const resourceTags = certificates.entries.find((one) => one.arn === arn)?.tags ?? [];
      const conditions = tagConditions(requestTags, resourceTags);
      // An import with tags needs the right to tag as well.
      const tagging = action === 'ImportCertificate' && Tags.length > 0 ? ['AddTagsToCertificate'] : [];
      const needs = [action, ...tagging].map((one) => ({ action: `acm:${one}`, resource, conditions }));
      return { action, resource, principal, needs };
    },
    handle(request) {
      try {
        const signature = readSignature(request.headers.authorization);
        if (!signature)
          throw new Refusal('MissingAuthenticationTokenException', 'Missing Authentication Token');
        if (signature.service !== 'acm') {
          const message = "Credential should be scoped to correct service: 'acm'.";
          throw new Refusal('InvalidSignatureException', message);
        }
        const action = actions[actionOf(request) ?? ''];
        if (!action) throw new Refusal('UnknownOperationException', 'There is no such operation here.');
        return answer(200, action(certificates, signature.region, readJson(request)));
      } catch (error) {
        if (error instanceof Refusal) return refuse(error.code, 400, error.message);
        if (error instanceof z.ZodError) return refuse('ValidationException', 400, z.prettifyError(error));
        throw error;
      }
    },
    refuse,
    denials: {
      denied: { code: 'AccessDeniedException', status: 400 },
      unknown: { code: 'UnrecognizedClientException', status: 400 },
    },
  };
  const server = await serve(part, surroundings);
  return { url: server.url, certificates, stop: () => server.stop() };
}

const importInput = z.object({
  Certificate: pem,
  PrivateKey: pem,
  CertificateChain: pem.optional(),
  CertificateArn: z.string().optional(),
  Tags: z.array(tag).max(50).optional(),
});

const listInput = z.object({
  Includes: z.object({ keyTypes: z.array(z.string()).optional() }).optional(),
  MaxItems: z.number().int().min(1).max(1000).default(1000),
  NextToken: z.string().optional(),
});

/** Types of keys that are listed where none are asked for. */
const listedByDefault = ['RSA_1024', 'RSA_2048'];

const actions: Readonly<Record<string, Action>> = {
  ImportCertificate(certificates, region, input) {
    const { Certificate, PrivateKey, CertificateChain, CertificateArn, Tags = [] } = importInput.parse(input);
    for (const { Key, Value } of Tags) checkTag(Key, Value);
    const material = { leaf: Certificate, key: PrivateKey, chain: CertificateChain };
    const tags = new Map(Tags.map(({ Key, Value }) => [Key, Value]));
    return { CertificateArn: certificates.import(region, material, CertificateArn, tags).arn };
  },

  GetCertificate(certificates, region, input) {
    const { leaf, chain } = certificates.find(region, named.parse(input).CertificateArn);
    return { Certificate: leaf, CertificateChain: chain };
  },

  DescribeCertificate(certificates, region, input) {
    const entry = certificates.find(region, named.parse(input).CertificateArn);
    const { serialNumber, validFromDate, validToDate, issuer } = new X509Certificate(entry.leaf);
    const dates = { NotBefore: seconds(validFromDate), NotAfter: seconds(validToDate) };
    const Serial = serialNumber.toLowerCase().match(/../g)?.join(':');
    return { Certificate: { ...summarize(entry), ...dates, Serial, Issuer: issuer, InUseBy: [] } };
  },

  ListCertificates(certificates, region, input) {
    const { Includes, MaxItems, NextToken } = listInput.parse(input);
    const types = Includes?.keyTypes ?? listedByDefault;
    const found = certificates.entries.filter(
      (one) => one.region === region && types.includes(keyAlgorithmOf(one.leaf)),
    );
    const start = Number(NextToken ?? 0);
    const next = start + MaxItems < found.length ? String(start + MaxItems) : undefined;
    return { CertificateSummaryList: found.slice(start, start + MaxItems).map(summarize), NextToken: next };
  },

  ListTagsForCertificate(certificates, region, input) {
    const { tags } = certificates.find(region, named.parse(input).CertificateArn);
    return { Tags: [...tags].map(([Key, Value]) => ({ Key, Value })) };
  },
};

function checkTag(key: string, value: string): void {
  const text = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
  const isTag =
    key.length >= 1 && key.length <= 128 && value.length <= 256 && text.test(key) && text.test(value);
  if (!isTag || key.startsWith('aws:')) throw new Refusal('InvalidTagException', 'A tag is not valid.');
}

function summarize(entry: AcmEntry): object {
  const { subjectAltName = '', subject } = new X509Certificate(entry.leaf);
  const names = subjectAltName.split(', ').map((name) => name.replace(/^DNS:/, ''));
  return {
    CertificateArn: entry.arn,
    DomainName: /CN=([^\n]+)/.exec(subject)?.[1] ?? names[0],
    SubjectAlternativeNameSummaries: names,
    Type: entry.type,
    Status: 'ISSUED',
    KeyAlgorithm: keyAlgorithmOf(entry.leaf),
    ImportedAt: seconds(entry.importedAt),
  };
}

function seconds(date: Date): number {
  return date.getTime() / 1000;
}

function actionOf(request: Request): string | undefined {
  return target.exec(String(request.headers['x-amz-target'] ?? ''))?.[1];
}
