// Timeouts for calls to AWS, in milliseconds.

/** Options for the SDK's request handler. A request without a response is sent again while the run still has
 *  time; by default the SDK would wait forever. */
export const awsTimeouts = {
  connectionTimeout: 3_000,
  requestTimeout: 10_000,
  throwOnRequestTimeout: true,
} as const;
