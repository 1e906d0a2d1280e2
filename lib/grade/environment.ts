/** The environment that a server under test is given. */

/** PYTHONUNBUFFERED would hide what the program's own buffers do, and change its outcome from machine to machine. */
export function serverEnvironment(port: number): NodeJS.ProcessEnv {
  const { PYTHONUNBUFFERED: _, ...env } = process.env;
  return { ...env, PORT: String(port) };
}
