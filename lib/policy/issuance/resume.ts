// Whether an order resumes that of an earlier run.

/** Whether the next order of a certificate finishes one that an earlier run began: AWSPENDING is claimed, and
 *  the tags have the order's URL. Such an order spends nothing of the CA's limits, and DNS is not checked
 *  before it.
 *  @param claim The claim of AWSPENDING; absent if there is none. */
export function resumes(
  claim: object | undefined,
  { order }: { readonly order?: string | undefined } = {},
): boolean {
  return claim !== undefined && order !== undefined;
}
