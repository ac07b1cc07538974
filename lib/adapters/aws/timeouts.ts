// How long AWS may take.

/** For the SDK's request handler: an answer that does not come is asked for again while the run still has time; the SDK
 *  itself would wait for ever. */
export const awsTimeouts = {
  connectionTimeout: 3_000,
  requestTimeout: 10_000,
  throwOnRequestTimeout: true,
} as const;
