// A real DNS server on one port of 127.0.0.1, UDP and TCP: authority for the sandbox's zones, and its
// recursive resolver.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import type { Fault } from '../faults.ts';
import type { Surroundings } from '../http-server.ts';
import { type Answer, answerQuestion, fixedZone, type Resource, type Zone } from './answer.ts';

/** Names under which delegation sets know this server, four for each zone of one name; it answers their
 *  addresses itself. */
export const delegationSets = [0, 1, 2].map((set) =>
  [1, 2, 3, 4].map((n) => `ns-${4 * set + n}.sandbox.example.`),
);
/** Those of a zone that is the only one of its name. */
export const nameServers: readonly string[] = delegationSets[0] ?? [];

export interface SandboxDns {
  /** `127.0.0.1:port`, as `CERTRELAY_RESOLVERS` takes it. */
  readonly address: string;
  readonly port: number;
  /** Answers from these zones too; they are asked for at each question. */
  serve(zones: () => Iterable<Zone>): void;
  stop(): Promise<void>;
}

const responseCodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
} as const;
/** RFC 1035 §4.1.1: the RA bit, and where the opcode and the response code stand in the flags. */
const recursionAvailable = 1 << 7;
const opcodeBits = 0b1111 << 11;
const responseCodeBits = 0b1111;
/** Largest answer by UDP where the question does not say (RFC 1035 §4.2.1). */
const plainUdpSize = 512;

/** @param at Port to listen on; a free one where absent. */
export async function startDns({ journal, faults }: Surroundings, at = 0): Promise<SandboxDns> {
  const sources: (() => Iterable<Zone>)[] = [() => [ownZone()]];
  const { udp, tcp, port } = await bindBoth(at);

  /** The message to send back; `undefined`: say nothing. */
  async function respond(message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const query = read(message);
    if (!query) return undefined;
    const [question] = query.questions;
    if (!question || query.questions.length > 1) return encode(reply(query, 'FORMERR'));
    if ((query.flags & opcodeBits) !== 0) return encode(reply(query, 'NOTIMP'));
    const resource = question.name.toLowerCase();
    const call = await journal.begin({
      service: 'dns',
      action: question.type,
      resource,
      principal: 'unknown',
    });
    const fault = faults.take('dns', question.type, resource);
    if (fault?.kind === 'drop' || fault?.kind === 'hang') return undefined;
    if (fault?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    const response = compose(query, question, fault);
    await journal.end(call, response.flags & responseCodeBits);
    if (fault?.kind === 'lose') return undefined;
    if (fault?.kind === 'malformed') return Buffer.concat([message.subarray(0, 2), Buffer.alloc(4, 255)]);
    return transport === 'tcp' ? encode(response) : fitUdp(response, query);
  }

  function compose(
    query: DecodedPacket,
    question: { readonly name: string; readonly type: string },
    fault: Fault | undefined,
  ): Response {
    if (fault?.kind === 'error')
      return reply(query, fault.code in responseCodes ? (fault.code as Code) : 'SERVFAIL');
    const answer = answerQuestion(
      question,
      sources.flatMap((source) => [...source()]),
    );
    return reply(query, answer.code, answer);
  }

  udp.on('message', (message, peer) => {
    respond(message, 'udp').then(
      (answer) => answer && udp.send(answer, peer.port, peer.address, () => undefined),
      () => undefined,
    );
  });
  const connections = new Set<Socket>();
  tcp.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.on('error', () => socket.destroy());
    readFrames(socket, (message) => {
      respond(message, 'tcp').then(
        (answer) => (answer ? socket.write(frame(answer)) : socket.destroy()),
        () => socket.destroy(),
      );
    });
  });

  return {
    address: `127.0.0.1:${port}`,
    port,
    serve: (zones) => void sources.push(zones),
    stop: async () => {
      for (const socket of connections) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}

/** The zone of the name servers' own names. */
function ownZone(): Zone {
  const name = 'sandbox.example.';
  return fixedZone(name, [
    {
      name,
      type: 'SOA',
      data: {
        mname: 'ns-1.sandbox.example',
        rname: 'hostmaster.sandbox.example',
        serial: 1,
        refresh: 7200,
        retry: 900,
        expire: 1_209_600,
        minimum: 5,
      },
    },
    ...nameServers.map((data) => ({ name, type: 'NS' as const, data })),
    ...delegationSets.flat().map((server) => ({ name: server, type: 'A' as const, data: '127.0.0.1' })),
  ]);
}

/** UDP and TCP on the same free port; another is tried where only one of them could be had. */
async function bindBoth(at: number): Promise<{ udp: UdpSocket; tcp: Server; port: number }> {
  for (let attempt = 0; ; attempt += 1) {
    const tcp = createServer();
    tcp.listen(at, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    try {
      udp.bind(port, '127.0.0.1');
      await once(udp, 'listening');
      return { udp, tcp, port };
    } catch (error) {
      tcp.close();
      if (at !== 0 || attempt === 20) throw error;
    }
  }
}

function read(message: Buffer): DecodedPacket | undefined {
  try {
    const packet = decode(message);
    return packet.type === 'query' ? packet : undefined;
  } catch {
    return undefined;
  }
}

type Code = keyof typeof responseCodes;

interface Response {
  readonly type: 'response';
  readonly id: number;
  readonly flags: number;
  readonly questions: DecodedPacket['questions'];
  readonly answers: readonly Resource[];
  readonly authorities: readonly Resource[];
  readonly additionals: readonly unknown[];
}

function reply(query: DecodedPacket, code: Code, answer?: Answer): Response {
  const authority = answer?.isAuthoritative ? AUTHORITATIVE_ANSWER : 0;
  return {
    type: 'response',
    id: query.id,
    flags: (query.flags & RECURSION_DESIRED) | recursionAvailable | authority | responseCodes[code],
    questions: query.questions,
    answers: answer?.answers ?? [],
    authorities: answer?.authorities ?? [],
    additionals: extendedSize(query) ? [{ type: 'OPT', name: '.', udpPayloadSize: 4096 }] : [],
  };
}

/** Too long for the asker's UDP: the header alone, truncated, so that it asks by TCP (RFC 2181 §9). */
function fitUdp(response: Response, query: DecodedPacket): Buffer {
  const message = encode(response);
  if (message.length <= Math.max(plainUdpSize, extendedSize(query) ?? 0)) return message;
  return encode({ ...response, flags: response.flags | TRUNCATED_RESPONSE, answers: [], authorities: [] });
}

/** The size an asker takes by UDP where it says so (RFC 6891 §6.2.3). */
function extendedSize(query: DecodedPacket): number | undefined {
  const extension = query.additionals.find((record) => record.type === 'OPT');
  return extension && 'udpPayloadSize' in extension ? Number(extension.udpPayloadSize) : undefined;
}

/** Messages on TCP carry their length before them (RFC 1035 §4.2.2). */
function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function readFrames(socket: Socket, take: (message: Buffer) => void): void {
  let buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 2 && buffer.length >= 2 + buffer.readUInt16BE(0)) {
      const end = 2 + buffer.readUInt16BE(0);
      take(buffer.subarray(2, end));
      buffer = buffer.subarray(end);
    }
  });
}
