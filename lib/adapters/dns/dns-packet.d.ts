// The part of dns-packet that is used here and in tests: the package has no types of its own.
declare module 'dns-packet' {
  export interface Question {
    readonly type: string;
    readonly name: string;
    readonly class?: string;
  }

  /** TXT data is a list of character strings; most other types of the sandbox are one string; SOA, MX and CAA
   *  are objects. */
  export interface Answer {
    readonly type: string;
    readonly name: string;
    readonly ttl?: number;
    readonly class?: string;
    readonly flush?: boolean;
    readonly data: unknown;
  }

  export interface Packet {
    readonly type?: 'query' | 'response';
    readonly id?: number;
    readonly flags?: number;
    readonly questions?: readonly Question[];
    readonly answers?: readonly Answer[];
    readonly authorities?: readonly Answer[];
    readonly additionals?: readonly unknown[];
  }

  export interface DecodedPacket {
    readonly type: 'query' | 'response';
    readonly id: number;
    readonly flags: number;
    /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, … */
    readonly rcode: string;
    readonly flag_aa: boolean;
    readonly flag_tc: boolean;
    readonly questions: readonly Question[];
    readonly answers: readonly Answer[];
    readonly authorities: readonly Answer[];
    readonly additionals: readonly Answer[];
  }

  export const AUTHORITATIVE_ANSWER: number;
  export const TRUNCATED_RESPONSE: number;
  export const RECURSION_DESIRED: number;
  export const CHECKING_DISABLED: number;
  export function encode(packet: Packet): Buffer;
  export function decode(bytes: Buffer): DecodedPacket;
  /** With the two-byte length of DNS over TCP. */
  export function streamEncode(packet: Packet): Buffer;
  /** `null` while the length says that more is to come. */
  export function streamDecode(bytes: Buffer): DecodedPacket | null;
}
