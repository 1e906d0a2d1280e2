/** The command line was wrong: exit code 2, as the shell's own commands have it. */
export class UsageError extends Error {
  override name = 'UsageError';
}
