// Bodies in protobuf, which kubectl sends if it makes an object by itself (`kubectl create secret`) or asks
// about its user (`kubectl auth can-i`). Field numbers are those of k8s.io/api's generated.proto.

interface Message {
  readonly [field: number]: readonly [name: string, type: FieldType];
}
type FieldType = 'string' | 'strings' | 'bool' | 'textMap' | 'bytesMap' | Message;

const metadata: Message = {
  1: ['name', 'string'],
  2: ['generateName', 'string'],
  3: ['namespace', 'string'],
  5: ['uid', 'string'],
  6: ['resourceVersion', 'string'],
  11: ['labels', 'textMap'],
  12: ['annotations', 'textMap'],
  14: ['finalizers', 'strings'],
};
const attributes: Message = {
  1: ['namespace', 'string'],
  2: ['verb', 'string'],
  3: ['group', 'string'],
  4: ['version', 'string'],
  5: ['resource', 'string'],
  6: ['subresource', 'string'],
  7: ['name', 'string'],
};
const paths: Message = { 1: ['path', 'string'], 2: ['verb', 'string'] };

/** What is read of each kind; other fields of it are passed over. */
const messages: Readonly<Record<string, Message>> = {
  Namespace: { 1: ['metadata', metadata] },
  Secret: {
    1: ['metadata', metadata],
    2: ['data', 'bytesMap'],
    3: ['type', 'string'],
    4: ['stringData', 'textMap'],
    5: ['immutable', 'bool'],
  },
  ConfigMap: { 1: ['metadata', metadata], 2: ['data', 'textMap'], 3: ['binaryData', 'bytesMap'] },
  SelfSubjectReview: {},
  SelfSubjectRulesReview: { 2: ['spec', { 1: ['namespace', 'string'] }] },
  SelfSubjectAccessReview: {
    2: ['spec', { 1: ['resourceAttributes', attributes], 2: ['nonResourceAttributes', paths] }],
  },
};

const magic = Buffer.from('k8s\0', 'latin1');

/** The object in a body of `application/vnd.kubernetes.protobuf`; `undefined` for a kind that is not read in
 *  this form here. @throws Error for what is no protobuf. */
export function readProtobuf(body: Buffer): object | undefined {
  if (!body.subarray(0, 4).equals(magic)) throw new Error('the magic number is missing');
  const typeMeta: Message = { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] };
  const envelope = [...readFields(body.subarray(4))];
  const bytesOf = (wanted: number) => envelope.find(([field]) => field === wanted)?.[1];
  const { apiVersion = '', kind = '' } = readMessage(bytesOf(1), typeMeta);
  const message = messages[String(kind)];
  return message && { apiVersion, kind, ...readMessage(bytesOf(2), message) };
}

function readMessage(bytes: Buffer | number | undefined, message: Message): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  if (!Buffer.isBuffer(bytes)) return result;
  for (const [field, value] of readFields(bytes)) {
    const [name, type] = message[field] ?? [];
    if (name === undefined || type === undefined) continue;
    if (type === 'bool') result[name] = value === 1;
    else if (!Buffer.isBuffer(value)) throw new Error(`${name} has another type`);
    else if (type === 'string') {
      // An empty text is what stands for none.
      if (value.length > 0) result[name] = value.toString();
    } else if (type === 'strings') result[name] = [...((result[name] ?? []) as string[]), value.toString()];
    else if (type === 'textMap' || type === 'bytesMap') {
      const [key, entry] = readEntry(value);
      const text = entry.toString(type === 'bytesMap' ? 'base64' : 'utf8');
      result[name] = { ...Object(result[name]), [key]: text };
    } else result[name] = readMessage(value, type);
  }
  return result;
}

function readEntry(bytes: Buffer): readonly [string, Buffer] {
  const parts = new Map(readFields(bytes));
  const [key, value] = [parts.get(1), parts.get(2)];
  return [Buffer.isBuffer(key) ? key.toString() : '', Buffer.isBuffer(value) ? value : Buffer.alloc(0)];
}

/** Field numbers with their values: a number for a varint, bytes for what has a length. */
function* readFields(bytes: Buffer): Generator<readonly [number, number | Buffer]> {
  let at = 0;
  const readVarint = () => {
    for (let value = 0, shift = 1; ; shift *= 128) {
      const byte = bytes[at];
      if (byte === undefined || shift > 2 ** 56) throw new Error('the message ends too early');
      at += 1;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = readVarint();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (wire === 0) yield [field, readVarint()];
    else if (wire === 2) {
      const length = readVarint();
      if (at + length > bytes.length) throw new Error('the message ends too early');
      yield [field, bytes.subarray(at, at + length)];
      at += length;
    } else throw new Error(`wire type ${wire} is not read`);
  }
}
