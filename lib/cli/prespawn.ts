/**
 * Has the zygote's process start while the command's own modules are loaded, for Node needs as long to do the one as
 * the other. It is a guess: where the options turn out to want another kind of process, that one is started instead.
 */
import { addonFile } from '../binding/native.js';
import { endPrespawnedZygote, prespawnZygote } from '../owner/prespawn.js';

/** What begins a flag that wants none, or one of a kind that is not started ahead. */
const others = /^(-h|-m|--(help|mode|user|watch)\b)/;

export async function withPrespawnedZygote(args: string[], command: () => Promise<number>): Promise<number> {
  if (addonFile !== undefined && !args.some(arg => others.test(arg))) {
    const program = args.find(arg => /^--exec\b/.test(arg));
    const kind = { mode: 'fork', program, privileges: undefined, watch: false } as const;
    prespawnZygote(kind, args.includes('--json') ? 'stderr' : 'inherit');
  }
  try {
    return await command();
  } finally {
    endPrespawnedZygote();
  }
}
