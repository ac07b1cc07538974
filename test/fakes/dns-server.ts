// A tiny authoritative DNS server for the CA's contract: TXT and CNAME, UDP and TCP on one port.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  streamDecode,
  streamEncode,
  TRUNCATED_RESPONSE,
} from 'dns-packet';

/** A running DNS server and what it answers. */
export interface DnsStub {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** How each question came, e.g. `udp TXT _acme-challenge.a.example.com`. */
  readonly questions: readonly string[];
  /** The values at a name from now on; none removes it. */
  readonly setTxt: (name: string, values: readonly string[]) => void;
  /** A CNAME; `follow` says whether answers also hold what the target has. */
  readonly setCname: (name: string, target: string, follow?: boolean) => void;
  /** Names for which UDP answers are cut, so that only TCP tells. */
  readonly truncated: Set<string>;
  /** Names for which the answer is SERVFAIL. */
  readonly broken: Set<string>;
  stop(): Promise<void>;
}

const nameError = 3;
const serverFailure = 2;

/** Starts one on a free port of 127.0.0.1; every name is NXDOMAIN at first. */
export async function startDnsStub(): Promise<DnsStub> {
  const txt = new Map<string, readonly string[]>();
  const cname = new Map<string, { readonly target: string; readonly follow: boolean }>();
  const truncated = new Set<string>();
  const broken = new Set<string>();
  const questions: string[] = [];

  function answersFor(name: string): Answer[] {
    const alias = cname.get(name);
    if (alias) {
      const own: Answer = { type: 'CNAME', name, ttl: 1, data: alias.target };
      return alias.follow ? [own, ...answersFor(alias.target)] : [own];
    }
    return (txt.get(name) ?? []).map((value) => ({ type: 'TXT', name, ttl: 1, data: [value] }));
  }

  function respond(query: DecodedPacket, transport: 'udp' | 'tcp') {
    const [question] = query.questions;
    const name = question?.name.toLowerCase() ?? '';
    questions.push(`${transport} ${question?.type} ${name}`);
    const exists = txt.has(name) || cname.has(name);
    const isCut = transport === 'udp' && truncated.has(name);
    const rcode = broken.has(name) ? serverFailure : exists ? 0 : nameError;
    return {
      type: 'response' as const,
      id: query.id,
      flags: AUTHORITATIVE_ANSWER | rcode | (isCut ? TRUNCATED_RESPONSE : 0),
      questions: query.questions,
      answers: rcode !== 0 || isCut || question?.type !== 'TXT' ? [] : answersFor(name),
    };
  }

  const { udp, tcp, port } = await listenOnOnePort();
  udp.on('message', (bytes, from) =>
    udp.send(encode(respond(decode(bytes), 'udp')), from.port, from.address),
  );
  tcp.on('connection', (socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const query = streamDecode(received);
      if (query) socket.end(streamEncode(respond(query, 'tcp')));
    });
  });
  return {
    address: `127.0.0.1:${port}`,
    questions,
    truncated,
    broken,
    setTxt: (name, values) => {
      if (values.length > 0) txt.set(name, values);
      else txt.delete(name);
    },
    setCname: (name, target, follow = true) => {
      cname.set(name, { target, follow });
    },
    stop: async () => {
      await new Promise<void>((resolve) => udp.close(resolve));
      await new Promise<void>((resolve) => tcp.close(() => resolve()));
    },
  };
}

async function listenOnOnePort(): Promise<{
  readonly udp: UdpSocket;
  readonly tcp: Server;
  readonly port: number;
}> {
  for (;;) {
    const udp = createSocket('udp4');
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
    const { port } = udp.address();
    const tcp = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      tcp.once('error', () => resolve(false));
      tcp.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (isFree) return { udp, tcp, port };
    udp.close();
  }
}
