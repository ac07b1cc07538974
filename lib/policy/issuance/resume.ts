// Whether an order goes on with that of an earlier run.

/** Whether the next order of a certificate finishes one that an earlier run began: AWSPENDING is claimed, and the tags know the
 *  order's URL. It spends nothing of the CA's limits, and DNS is not judged before it.
 *  @param claim The claim of AWSPENDING; absent if there is none.
 *  @param order URL of the last order, as the tags have it. */
export function resumes(
  claim: object | undefined,
  { order }: { readonly order?: string | undefined } = {},
): boolean {
  return claim !== undefined && order !== undefined;
}
