// How AWS names its regions, in every partition: `eu-west-1`, `us-gov-east-1`, `eusc-de-east-1`.

/** The form of a region's name; whether there is such a region only AWS knows. */
export const awsRegionPattern = /^[a-z]{2,}(-[a-z]+)+-\d+$/;
