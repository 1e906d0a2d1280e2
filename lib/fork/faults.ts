/**
 * Fault injection by the environment, for tests: `TRUEFORK_FAULTS=fork=EAGAIN*3,accept=EMFILE/500ms,read=EINTR`.
 * Each entry makes one system call fail: once, so many times (`*n`), or for so long (`/n` with `ms` or `s`).
 */
import os from 'node:os';
import { type FaultyCall, native } from '../binding/native.js';
import { badArgument } from '../errors.js';

const calls: readonly string[] = ['fork', 'accept', 'read', 'write'] satisfies FaultyCall[];
const entry = /^(?<call>\w+)=(?<errno>[A-Z0-9]+)(?:\*(?<times>\d+)|\/(?<time>\d+)(?<unit>ms|s))?$/;

/** @throws `ERR_TRUEFORK_ARGUMENT` where an entry is not of the form above. */
export function armFaults(faults: string | undefined): void {
  for (const text of faults?.split(',').filter(Boolean) ?? []) {
    const { call, errno, times, time, unit } = entry.exec(text.trim())?.groups ?? {};
    const code = os.constants.errno[errno as keyof typeof os.constants.errno];
    if (call === undefined || !calls.includes(call) || code === undefined) {
      throw badArgument(
        `TRUEFORK_FAULTS: "${text}" is not CALL=ERRNO, CALL=ERRNO*TIMES or CALL=ERRNO/TIME, ` +
          `with CALL one of ${calls.join(', ')} and TIME like 500ms or 10s`,
      );
    }
    const forMs = Number(time ?? 0) * (unit === 's' ? 1000 : 1);
    native.armFault(call as FaultyCall, code, Number(times ?? 1), forMs);
  }
}
