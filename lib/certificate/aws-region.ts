// How AWS names its regions, in every partition: `eu-west-1`, `us-gov-east-1`, `eusc-de-east-1`.

/** The form of a region's name, as in all partitions of the AWS SDK's endpoint rules. Whether there is such a
 *  region, and which partition it is in, only the SDK knows. */
export const awsRegionPattern = /^[a-z]{2,}(-[a-z]+)+-\d+$/;
