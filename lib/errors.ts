/** Misuse of this library: an error whose code begins with `ERR_TRUEFORK_` and whose message says what to do. */
export interface TrueforkError extends Error {
  code: `ERR_TRUEFORK_${string}`;
}

/** An Error for a state that does not allow what was asked. */
export function misuse(code: TrueforkError['code'], message: string, cause?: unknown): TrueforkError {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  return Object.assign(error, { code });
}

/** A TypeError for an argument that cannot be right. */
export function badArgument(message: string): TrueforkError & TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_TRUEFORK_ARGUMENT' as const });
}
