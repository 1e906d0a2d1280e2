/** What is printed, and where. */
import { choice, flag } from '../kinds/words.js';
import { option, serverKinds } from '../option.js';

export const output = {
  /** Where the handler's standard output goes: this process's own (the default), or its standard error. */
  stdout: option({
    topic: 'Output',
    takenBy: serverKinds,
    kind: choice('inherit', 'stderr'),
    default: 'inherit',
    help: 'where the output of the handler goes; with --json, stderr',
  }),
  /** One JSON object a line instead of text; the handler's output goes to stderr. */
  json: option({
    topic: 'Output',
    takenBy: ['command'],
    kind: flag(),
    default: false,
    help: 'one JSON object a line instead of text',
  }),
  /** How much is printed: `info`, the default, has each connection; `warn` only what may need looking at. */
  logLevel: option({
    topic: 'Output',
    takenBy: ['command'],
    kind: choice('error', 'warn', 'info', 'debug'),
    default: 'info',
    help: 'info has each connection; warn only failures and refusals; debug adds page faults and waits',
  }),
};
