// Lets the terminal's environment variables reach the functions of `invoke local`.

interface Environment {
  environment?: Record<string, unknown>;
}

/** The parts of a service that set environment variables. */
interface ServiceEnvironment {
  readonly provider: Environment;
  readonly functions: Readonly<Record<string, Environment>>;
}

/** Lets the terminal's environment variables win in `invoke local`, and leaves out variables that name a
 *  resource of the stack. Then a machine without an AWS account can run every function against other
 *  endpoints. */
export function preferTerminal(service: ServiceEnvironment): void {
  const environments = [service.provider, ...Object.values(service.functions)].map(
    (part) => part.environment,
  );
  for (const environment of environments) {
    if (!environment) continue;
    for (const [name, value] of Object.entries(environment)) {
      const ours = process.env[name];
      if (ours !== undefined) environment[name] = ours;
      else if (typeof value === 'object') delete environment[name];
    }
  }
}
