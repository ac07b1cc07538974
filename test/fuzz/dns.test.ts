// DNS servers that answer anything: a question ends with an answer or a DnsError, and soon.
import { createSocket, type Socket } from 'node:dgram';
import { type AddressInfo, createServer, type Socket as TcpSocket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askPackets } from '../../lib/adapters/dns/packets.ts';
import { createQueries } from '../../lib/adapters/dns/queries.ts';
import { DnsError } from '../../lib/ports/dns.ts';

/** What is sent back for a query. */
const packets: Readonly<Record<string, (query: Buffer) => Buffer>> = {
  nothing: () => Buffer.alloc(0),
  'one byte': () => Buffer.from([0]),
  'a header alone': (query) => header(query, 0x8180, 0, 0),
  'a header that promises answers': (query) => header(query, 0x8180, 1, 65_535),
  'the query itself': (query) => query,
  'a query for another id': (query) =>
    Buffer.concat([Buffer.from([query[0] ?? 0, ~(query[1] ?? 0) & 255]), query.subarray(2)]),
  'a name that points at itself': (query) =>
    Buffer.concat([reply(query, 1), Buffer.from('c00cc00c0010', 'hex')]),
  'a name that points past the end': (query) =>
    Buffer.concat([reply(query, 1), Buffer.from('ffff00100001000000000004', 'hex')]),
  'a record cut short': (query) =>
    Buffer.concat([reply(query, 1), Buffer.from('c00c001000010000003c00ff0161', 'hex')]),
  'an empty TXT': (query) => Buffer.concat([reply(query, 1), Buffer.from('c00c001000010000003c0000', 'hex')]),
  'a string longer than its record': (query) =>
    Buffer.concat([reply(query, 1), Buffer.from('c00c001000010000003c0002ff61', 'hex')]),
  'bytes that are no text': (query) =>
    Buffer.concat([reply(query, 1), Buffer.from('c00c001000010000003c000403fffe00', 'hex')]),
  'a CAA without a tag': (query) =>
    Buffer.concat([reply(query, 1), Buffer.from('c00c010100010000003c00028000', 'hex')]),
  'a label of 63 bytes and no end': (query) =>
    Buffer.concat([reply(query, 1), Buffer.from([63]), Buffer.alloc(40, 97)]),
  'another type than was asked': (query) =>
    Buffer.concat([reply(query, 1), Buffer.from('c00c000100010000003c00047f000001', 'hex')]),
  zeroes: (query) => Buffer.concat([query.subarray(0, 2), Buffer.alloc(510)]),
  ones: (query) => Buffer.concat([query.subarray(0, 2), Buffer.alloc(510, 255)]),
  'truncated, and nobody on TCP': (query) => header(query, 0x8380, 1, 0),
};

/** The query's header with other flags and counts. */
function header(query: Buffer, flags: number, queries: number, answers: number): Buffer {
  const bytes = Buffer.alloc(12);
  query.copy(bytes, 0, 0, 2);
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt16BE(queries, 4);
  bytes.writeUInt16BE(answers, 6);
  return bytes;
}

/** The query's question, answered by what is put behind it. */
function reply(query: Buffer, answers: number): Buffer {
  const end = query.indexOf(0, 12) + 5;
  return Buffer.concat([header(query, 0x8180, 1, answers), query.subarray(12, end)]);
}

const sockets = new Map<string, Socket>();
beforeAll(async () => {
  for (const [name, make] of Object.entries(packets)) {
    const socket = createSocket('udp4');
    socket.on('message', (query, { port, address }) => socket.send(make(query), port, address));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    sockets.set(name, socket);
  }
});
afterAll(() => {
  for (const socket of sockets.values()) socket.close();
});

test('every packet is an answer or a DnsError', { timeout: 30_000 }, async () => {
  const queries = createQueries()(AbortSignal.timeout(20_000));
  const asked = [...sockets].flatMap(([name, socket]) => {
    const server = `127.0.0.1:${(socket.address() as AddressInfo).port}`;
    const domain = 'shop.example.com';
    return [
      [name, queries.texts(domain, server)],
      [name, queries.alias(domain, server)],
      [name, queries.caaRecords(domain, server)],
      [name, queries.nameServers(domain, server)],
    ] as const;
  });
  const answers = await Promise.allSettled(asked.map(([, answer]) => answer));
  for (const [index, answer] of answers.entries()) {
    const [name] = asked[index] ?? [];
    if (answer.status === 'rejected') expect(answer.reason, name).toBeInstanceOf(DnsError);
    else expect(['undefined', 'string', 'object'], name).toContain(typeof answer.value);
  }
});

/** What a server does with the connection after an answer by UDP that is truncated. */
const streams: Readonly<Record<string, (socket: TcpSocket, query: Buffer) => void>> = {
  'frames without end, for another id': (socket, query) => {
    const frame = framed(Buffer.concat([Buffer.from([1, 1]), query.subarray(2)]));
    const pump = () => {
      while (!socket.destroyed && socket.write(frame));
    };
    socket.on('drain', pump);
    pump();
  },
  'a byte now and then': (socket) => {
    const timer = setInterval(() => socket.write(Buffer.alloc(1, 255)), 100);
    socket.on('close', () => clearInterval(timer));
  },
  'a frame that never ends': (socket) => void socket.write(Buffer.from('ffff8180', 'hex')),
  'a thousand values': (socket, query) => {
    const values = Array.from({ length: 1_000 }, (_, n) => {
      const text = String(n).padStart(43, 'x');
      return Buffer.concat([Buffer.from('c00c001000010000003c002c2b', 'hex'), Buffer.from(text)]);
    });
    socket.write(framed(Buffer.concat([reply(query, 1_000), ...values])));
  },
};

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

test('whatever comes by TCP, a question ends within ten seconds', { timeout: 30_000 }, async () => {
  const signal = AbortSignal.timeout(25_000);
  const queries = createQueries()(signal);
  const closing: (() => void)[] = [];
  const ends = Object.entries(streams).map(async ([name, talk]) => {
    const tcp = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', (query) => talk(socket, query.subarray(2)));
      closing.push(() => socket.destroy());
    });
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    udp.on('message', (query, peer) => {
      const truncated = reply(query, 0);
      truncated.writeUInt16BE(0x8380, 2);
      udp.send(truncated, peer.port, peer.address);
    });
    await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));
    closing.push(
      () => void tcp.close(),
      () => void udp.close(),
    );
    const startedAt = performance.now();
    const answer = queries.texts('shop.example.com', `127.0.0.1:${port}`);
    const end = await answer.then(
      (values) => values.length,
      (error: unknown) => error instanceof DnsError && error.code,
    );
    return [name, end, performance.now() - startedAt < 12_000];
  });
  try {
    expect(await Promise.all(ends)).toEqual([
      ['frames without end, for another id', 'Lookup', true],
      ['a byte now and then', 'Lookup', true],
      ['a frame that never ends', 'Lookup', true],
      ['a thousand values', 1_000, true],
    ]);
  } finally {
    for (const close of closing) close();
  }
});

test('a server that this machine may not reach is passed over, and the run goes on', async () => {
  // Linux refuses to connect to the address of everybody, as it does without a route.
  const question = { type: 'SOA', name: 'example.com' } as const;
  const asking = askPackets(question, ['255.255.255.255:53'], AbortSignal.timeout(20_000));
  await expect(asking).rejects.toMatchObject({
    code: 'Lookup',
    message: expect.stringContaining('no answer'),
  });
});
