/**
 * Starts the zygote's process while the command's own modules are loaded: Node takes about as long for one as for the
 * other. It is a guess. Where the options turn out to need another kind of process, that is started instead.
 */
import { addonFile } from '../binding/native.js';
import { speedIsOn } from '../fork/speed.js';
import { endPrespawnedZygote, prespawnZygote } from '../owner/prespawn.js';

/** Flags with which no zygote is needed, or one of another kind. */
const others = /^(-h|-m|--(help|mode|user|watch)\b)/;

export async function withPrespawnedZygote(args: string[], command: () => Promise<number>): Promise<number> {
  if (addonFile !== undefined && speedIsOn('prespawn') && !args.some(arg => others.test(arg))) {
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
