// Asks authoritative DNS servers for TXT as a validating CA does: UDP, TCP where the answer is cut, CNAMEs
// followed.
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createConnection } from 'node:net';
import { type DecodedPacket, decode, encode, type Packet, streamDecode, streamEncode } from 'dns-packet';

/** DNS did not answer the question; the message says how. */
export class LookupError extends Error {}

/** Every TXT value at a name, each joined from its strings; none where the name exists without TXT.
 *  @throws LookupError NXDOMAIN, SERVFAIL, REFUSED, a CNAME that leads nowhere, or no answer from any
 *  server */
export type ResolveTxt = (name: string) => Promise<readonly string[]>;

const timeoutMs = 2_000;
const longestChain = 8;

/** @param servers `127.0.0.1:port` each, asked in turn until one answers */
export function createResolver(servers: readonly string[]): ResolveTxt {
  return async (name) => {
    let asked = name;
    for (let links = 0; links <= longestChain; links += 1) {
      const answer = await askAny(servers, asked);
      if (answer.rcode !== 'NOERROR') {
        throw new LookupError(`DNS problem: ${answer.rcode} looking up TXT for ${name}`);
      }
      const last = followWithin(answer, asked);
      const values = answer.answers.filter((one) => one.type === 'TXT' && isSame(one.name, last)).map(textOf);
      const isAlias = answer.answers.some((one) => one.type === 'CNAME' && isSame(one.name, asked));
      if (values.length > 0 || !isAlias) return values;
      asked = last;
    }
    throw new LookupError(
      `DNS problem: the CNAMEs at ${name} are more than ${longestChain} or run in a circle`,
    );
  };
}

async function askAny(servers: readonly string[], name: string): Promise<DecodedPacket> {
  for (const server of servers) {
    try {
      return await ask(server, name);
    } catch {
      // The next server may answer; that none did is reported below.
    }
  }
  throw new LookupError(`DNS problem: query timed out looking up TXT for ${name}`);
}

async function ask(server: string, name: string): Promise<DecodedPacket> {
  const colon = server.lastIndexOf(':');
  const host = server.slice(0, colon);
  const port = Number(server.slice(colon + 1));
  const query: Packet = {
    type: 'query',
    id: randomInt(65_536),
    questions: [{ type: 'TXT', name }],
    // EDNS with the size that survives every path (DNS flag day 2020).
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232 }],
  };
  const answer = await askUdp(query, host, port);
  return answer.flag_tc ? askTcp(query, host, port) : answer;
}

function askUdp(query: Packet, host: string, port: number): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    const timer = setTimeout(() => finish(() => reject(new Error('no answer'))), timeoutMs);
    socket.once('error', (error) => finish(() => reject(error)));
    socket.on('message', (bytes) => {
      const answer = decodeOrIgnore(bytes);
      if (answer && answer.id === query.id) finish(() => resolve(answer));
    });
    // Connected, so that a closed port is an error at once instead of silence.
    socket.connect(port, host, () => socket.send(encode(query)));
  });
}

function askTcp(query: Packet, host: string, port: number): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port });
    let received = Buffer.alloc(0);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection ended before the answer')));
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = streamDecode(received);
      if (answer) resolve(answer);
      socket.destroy();
    });
    socket.write(streamEncode(query));
  });
}

function decodeOrIgnore(bytes: Buffer): DecodedPacket | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

/** The last name of the CNAMEs within one answer. */
function followWithin(answer: DecodedPacket, start: string): string {
  let name = start;
  for (let links = 0; links <= longestChain; links += 1) {
    const alias = answer.answers.find((one) => one.type === 'CNAME' && isSame(one.name, name));
    if (typeof alias?.data !== 'string') return name;
    name = alias.data;
  }
  return name;
}

function textOf(answer: { readonly data: unknown }): string {
  const strings = Array.isArray(answer.data) ? answer.data : [answer.data];
  return strings.map((one) => (Buffer.isBuffer(one) ? one.toString('latin1') : String(one))).join('');
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase().replace(/\.$/, '') === other.toLowerCase().replace(/\.$/, '');
}
