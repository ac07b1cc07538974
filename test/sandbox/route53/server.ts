// The Route 53 API of the sandbox, as strict as AWS documents it; its public zones are answered by the
// sandbox's DNS.
import { delegationSets, type SandboxDns } from '../dns/server.ts';
import { type Answer, type Part, type Request, type Surroundings, serve } from '../http-server.ts';
import type { AccessRequest } from '../iam/evaluation.ts';
import { readSignature } from '../principal.ts';
import { type Caller, ownAccount, Sessions } from '../sts/sessions.ts';
import type { Change, RecordSet } from './change-batch.ts';
import { HostedZone } from './hosted-zone.ts';
import { listByName, listRecordSets, listZones, zoneXml } from './listing.ts';
import { canonicalName } from './names.ts';
import { type ApiCall, answerXml, errorXml, readBatch, recogniseCall, resourceOf } from './protocol.ts';
import { tag } from './xml.ts';

/** May be changed while the server runs. */
export interface Route53Settings {
  /** How long a change is PENDING. */
  insyncMs: number;
  /** Requests an account may make, as a token bucket; absent: any number. AWS: 10 a second, burst 50. */
  rate?: { readonly perSecond: number; readonly burst: number };
}

export interface SandboxRoute53 {
  readonly url: string;
  readonly settings: Route53Settings;
  /** `delegated`: whether DNS leads to it, which it does where absent. `account`: whose it is; the functions'
   *  own where absent. No two zones of one name have a name server in common. @throws Error where there are
   *  three of the name already. */
  createZone(
    name: string,
    options?: { readonly private?: boolean; readonly delegated?: boolean; readonly account?: string },
  ): HostedZone;
  /** Takes away the zones of that name, as if they had been deleted; the function that this gives puts them
   *  back with their records. */
  takeZones(name: string): () => void;
  /** The record sets of the (first) zone with this name, PENDING changes included, taken away or not.
   *  @throws Error where there is none. */
  list(zone: string): readonly RecordSet[];
  /** Changes records as whoever keeps the zone would, at once and without a call, taken away or not.
   *  @throws Error with what Route 53 would refuse, or where there is no such zone. */
  edit(zone: string, changes: readonly Change[]): void;
  stop(): Promise<void>;
}

/** @param options.now Milliseconds since the epoch; the real clock where absent. @param options.sessions
 *  Whose sessions of roles are taken, beside the keys of the own account. */
export async function startRoute53(
  {
    dns,
    now = Date.now,
    sessions = new Sessions(),
  }: {
    readonly dns: Pick<SandboxDns, 'serve'>;
    readonly now?: () => number;
    readonly sessions?: Sessions;
  },
  surroundings: Surroundings,
): Promise<SandboxRoute53> {
  const settings: Route53Settings = { insyncMs: 0 };
  const zones = new Map<string, HostedZone>();
  const made: HostedZone[] = [];
  const mustFind = (name: string): HostedZone => {
    const zone = made.find((candidate) => candidate.name === canonicalName(name));
    if (!zone) throw new Error(`there is no hosted zone ${name}`);
    return zone;
  };
  const changes = new Map<
    string,
    { readonly account: string; readonly submittedAt: Date; readonly insyncAt: number }
  >();
  const buckets = new Map<string, { tokens: number; at: number }>();

  function handle(request: Request): Answer {
    const caller = sessions.identify(request.headers);
    if ('code' in caller) return errorXml(403, caller.code, caller.message);
    if (readSignature(request.headers.authorization)?.service !== 'route53') {
      return errorXml(
        403,
        'SignatureDoesNotMatch',
        "Credential should be scoped to correct service: 'route53'. ",
      );
    }
    if (isOverRate(caller)) return errorXml(400, 'Throttling', 'Rate exceeded');
    const call = recogniseCall(request);
    if (!call) return errorXml(404, 'UnknownOperationException', 'The sandbox does not play this call.');
    return perform(call, request, caller);
  }

  function isOverRate({ account }: Caller): boolean {
    const { rate } = settings;
    if (!rate) return false;
    const bucket = buckets.get(account) ?? { tokens: 0, at: Number.NEGATIVE_INFINITY };
    buckets.set(account, bucket);
    const seconds = (now() - bucket.at) / 1000;
    bucket.tokens = Math.min(rate.burst, bucket.tokens + seconds * rate.perSecond);
    bucket.at = now();
    if (bucket.tokens < 1) return true;
    bucket.tokens -= 1;
    return false;
  }

  function perform(call: ApiCall, request: Request, { account, arn }: Caller): Answer {
    const query = request.url.searchParams;
    const own = () => [...zones.values()].filter((zone) => zone.account === account);
    switch (call.action) {
      case 'ListHostedZones':
        return listZones(own(), query);
      case 'ListHostedZonesByName':
        return listByName(own(), query);
      case 'GetChange': {
        const change = changes.get(call.change);
        if (change?.account !== account)
          return errorXml(404, 'NoSuchChange', `Could not find resource with ID: ${call.change}`);
        return answerXml('GetChangeResponse', [changeXml(call.change, change)]);
      }
      case 'GetHostedZone':
      case 'ListResourceRecordSets':
      case 'ChangeResourceRecordSets': {
        const zone = zones.get(call.zone);
        if (!zone) return errorXml(404, 'NoSuchHostedZone', `No hosted zone found with ID: ${call.zone}`);
        if (zone.account !== account) {
          const message = `User: ${arn} is not authorized to access this resource`;
          return errorXml(403, 'AccessDenied', message);
        }
        if (call.action === 'ListResourceRecordSets') return listRecordSets(zone, query);
        if (call.action === 'ChangeResourceRecordSets') return changeRecordSets(zone, request.body);
        const servers = zone.nameServers.map((server) => tag('NameServer', server.slice(0, -1)));
        const delegation = zone.isPrivate ? undefined : tag('DelegationSet', [tag('NameServers', servers)]);
        return answerXml('GetHostedZoneResponse', [zoneXml(zone), delegation]);
      }
    }
  }

  function changeRecordSets(zone: HostedZone, body: Buffer): Answer {
    const batch = readBatch(body);
    if (typeof batch === 'string') return errorXml(400, 'InvalidInput', batch);
    const result = zone.change(batch.changes, settings.insyncMs);
    if ('messages' in result) return errorXml(400, 'InvalidChangeBatch', `[${result.messages.join(', ')}]`);
    const id = `C${String(changes.size + 1).padStart(13, '0')}SANDBOX`;
    const change = { account: zone.account, submittedAt: new Date(now()), insyncAt: result.insyncAt };
    changes.set(id, change);
    // A change is PENDING in its own answer, however soon it is INSYNC.
    const pending = { ...change, insyncAt: Number.POSITIVE_INFINITY };
    return answerXml('ChangeResourceRecordSetsResponse', [changeXml(id, pending, batch.comment)]);
  }

  function changeXml(
    id: string,
    change: { readonly submittedAt: Date; readonly insyncAt: number },
    comment?: string,
  ): string | undefined {
    return tag('ChangeInfo', [
      tag('Id', `/change/${id}`),
      tag('Status', change.insyncAt <= now() ? 'INSYNC' : 'PENDING'),
      tag('SubmittedAt', change.submittedAt.toISOString()),
      tag('Comment', comment),
    ]);
  }

  const part: Part = {
    service: 'route53',
    describe(request) {
      const call = recogniseCall(request);
      if (!call) return undefined;
      const caller = sessions.identify(request.headers);
      const principal = 'code' in caller ? 'unknown' : caller.principal;
      const named = { action: call.action, resource: resourceOf(call), principal };
      if (call.action !== 'ChangeResourceRecordSets') return named;
      const detail = changedRecords(request.body);
      return { ...named, detail, needs: [neededFor(named.resource, detail)] };
    },
    handle,
    refuse: (code, status, message) => errorXml(status, code, message),
    denials: {
      denied: { code: 'AccessDenied', status: 403 },
      unknown: { code: 'InvalidClientTokenId', status: 403 },
    },
  };
  const server = await serve(part, surroundings);
  dns.serve(() => [...zones.values()].filter((zone) => zone.isDelegated));

  return {
    url: server.url,
    settings,
    createZone: (name, options = {}) => {
      const id = `Z${String(zones.size + 1).padStart(13, '0')}SANDBOX`;
      const same = [...zones.values()].filter((zone) => zone.name === canonicalName(name));
      const nameServers = delegationSets[same.length];
      if (!nameServers) throw new Error(`there are ${same.length} hosted zones ${name} already`);
      const {
        private: isPrivate = false,
        delegated: isDelegated = !isPrivate,
        account = ownAccount,
      } = options;
      const zone = new HostedZone({ id, name, account, isPrivate, isDelegated, nameServers, now });
      zones.set(id, zone);
      made.push(zone);
      return zone;
    },
    takeZones: (name) => {
      const taken = [...zones].filter(([, zone]) => zone.name === canonicalName(name));
      for (const [id] of taken) zones.delete(id);
      return () => {
        for (const [id, zone] of taken) zones.set(id, zone);
      };
    },
    list: (name) => mustFind(name).list(),
    edit: (name, edits) => {
      const result = mustFind(name).change(edits, 0);
      if ('messages' in result) throw new Error(result.messages.join('; '));
    },
    stop: () => server.stop(),
  };
}

/** What IAM's condition keys see of a change: names lower case without the last dot, types and actions. */
export interface ChangedRecord {
  readonly action: string;
  readonly name: string;
  readonly type: string;
}

function neededFor(resource: string, changes: readonly ChangedRecord[]): AccessRequest {
  const key = (name: string) => `route53:ChangeResourceRecordSets${name}`;
  const conditions = {
    [key('NormalizedRecordNames')]: changes.map(({ name }) => name),
    [key('RecordTypes')]: changes.map(({ type }) => type),
    [key('Actions')]: changes.map(({ action }) => action),
  };
  return { action: 'route53:ChangeResourceRecordSets', resource, conditions };
}

function changedRecords(body: Buffer): readonly ChangedRecord[] {
  const batch = readBatch(body);
  if (typeof batch === 'string') return [];
  return batch.changes.map(({ action, set }) => ({ action, name: set.name.slice(0, -1), type: set.type }));
}
