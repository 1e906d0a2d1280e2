import type { TrueforkError } from '../errors.js';

/** The command line was wrong: exit code 2, as in the shell's own commands. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Runs a check of something that the command line says: misuse there is a wrong command line. */
export function asUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw (error as TrueforkError).code?.startsWith('ERR_TRUEFORK_')
      ? new UsageError((error as Error).message)
      : error;
  }
}
