// The functions of the service, in the order in which the README tells of them.
export const functionNames = [
  'issue',
  'deploy',
  'register',
  'discover',
  'import',
  'export',
  'revoke',
  'pause',
  'retire',
  'probe',
  'status',
  'notify',
  'dashboard',
] as const;
