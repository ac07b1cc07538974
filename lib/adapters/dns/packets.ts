// Asks DNS what Node's resolver cannot: records of DNSSEC, and the section of an answer that names its zone.
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns/promises';
import { connect } from 'node:net';
import { CHECKING_DISABLED, type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { parseEndpoint } from '../../certificate/endpoint.ts';
import { DnsError } from '../../ports/dns.ts';
import type { ServerAddress } from './queries.ts';

/** One question. */
export interface PacketQuestion {
  readonly type: 'SOA' | 'DS' | 'DNSKEY';
  readonly name: string;
}

/** Timeouts of one attempt. The second one at a server is for a lost UDP packet. */
const udpMs = 1_500;
const tcpMs = 3_000;
const attempts = 2;
/** Most servers of a list that are asked. */
const mostServers = 3;
/** Bytes that an answer may have by UDP: what no network on the way cuts into pieces. */
const udpSize = 1_232;
const dnsPort = 53;

/** The answer of the first server that has one: response code NOERROR or NXDOMAIN. The servers are asked
 *  one after the other, three at most. They are asked not to check DNSSEC, because a resolver that does
 *  would hide what is wrong. @throws DnsError `Lookup` if no server answers; `Failed` if the signal is
 *  aborted. */
export async function askPackets(
  question: PacketQuestion,
  servers: ServerAddress,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  const addresses = (servers === undefined ? getServers() : [servers].flat()).slice(0, mostServers);
  let problem: unknown;
  for (const address of addresses) {
    try {
      const answer = await askServer(question, address, signal);
      if (answer.rcode === 'NOERROR' || answer.rcode === 'NXDOMAIN') return answer;
      problem = answer.rcode;
    } catch (error) {
      problem = error;
    }
    if (signal.aborted) {
      const message = `the run ended before DNS answered ${question.type} ${question.name}`;
      throw new DnsError('Failed', message, { cause: signal.reason });
    }
  }
  const why = typeof problem === 'string' ? problem : 'no answer';
  const message = `${addresses.join(', ')} did not answer ${question.type} ${question.name} (${why})`;
  throw new DnsError('Lookup', message, { cause: problem });
}

async function askServer(
  { type, name }: PacketQuestion,
  server: string,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  const endpoint = parseEndpoint(server);
  if (!endpoint) throw new Error(`${server} is no address`);
  const { address, port = dnsPort } = endpoint;
  const id = randomInt(65_536);
  const query = encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | CHECKING_DISABLED,
    questions: [{ type, name }],
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: udpSize }],
  });
  const read = (message: Buffer): DecodedPacket | undefined => {
    const packet = decode(message);
    const [asked] = packet.questions;
    const isOurs = packet.type === 'response' && packet.id === id && asked?.type === type;
    return isOurs && asked.name.toLowerCase() === name ? packet : undefined;
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await sendUdp({ address, port }, query, read, signal);
      return answer.flag_tc ? await sendTcp({ address, port }, query, read, signal) : answer;
    } catch (error) {
      if (attempt === attempts || signal.aborted) throw error;
    }
  }
}

interface Server {
  readonly address: string;
  readonly port: number;
}

/** Sends a query by UDP from a port of its own, so that nobody else can answer it. */
function sendUdp(
  { address, port }: Server,
  query: Buffer,
  read: (message: Buffer) => DecodedPacket | undefined,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  return inTime(udpMs, signal, ({ resolve, reject }) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', reject);
    socket.on('message', (message) => {
      const packet = attempt(() => read(message), reject);
      if (packet) resolve(packet);
    });
    // A connected socket takes packets of this server only.
    let isOpen = true;
    // A connect that fails, e.g. without a route for IPv6, is told here and by no event.
    socket.connect(port, address, (error?: Error) => {
      if (error) reject(error);
      else if (isOpen) socket.send(query, (problem) => problem && reject(problem));
    });
    return () => {
      isOpen = false;
      socket.close();
    };
  });
}

/** Sends a query by TCP, where its length stands before a message (RFC 1035 §4.2.2). */
function sendTcp(
  { address, port }: Server,
  query: Buffer,
  read: (message: Buffer) => DecodedPacket | undefined,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  return inTime(tcpMs, signal, ({ resolve, reject }) => {
    const socket = connect({ host: address, port });
    let received = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed')));
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      const length = received.length < 2 ? Number.POSITIVE_INFINITY : received.readUInt16BE(0);
      if (received.length < 2 + length) return;
      const packet = attempt(() => read(received.subarray(2, 2 + length)), reject);
      if (packet) resolve(packet);
      else reject(new Error('the answer is for another question'));
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
    return () => socket.destroy();
  });
}

function attempt<T>(work: () => T, onError: (error: unknown) => void): T | undefined {
  try {
    return work();
  } catch (error) {
    onError(error);
    return undefined;
  }
}

/** Runs work that opens a socket, and closes that at the end. @throws Error after `ms` milliseconds, or the
 *  signal's reason. */
async function inTime<T>(
  ms: number,
  signal: AbortSignal,
  start: (ends: Pick<PromiseWithResolvers<T>, 'resolve' | 'reject'>) => () => void,
): Promise<T> {
  signal.throwIfAborted();
  const ends = Promise.withResolvers<T>();
  const abort = () => ends.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(() => ends.reject(new Error(`no answer within ${ms} ms`)), ms);
  let close: (() => void) | undefined;
  try {
    close = start(ends);
    return await ends.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    close?.();
  }
}
