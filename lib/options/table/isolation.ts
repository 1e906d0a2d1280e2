/** What keeps children apart from each other and from the server. docs/isolation.md says what holds, and where. */
import { sandbox } from '../kinds/sandbox.js';
import { choice } from '../kinds/words.js';
import { option } from '../option.js';

export const isolation = {
  /**
   * What becomes of the processes that a connection leaves running, daemons among them: `end`, they are killed with its
   * child; `keep`, they go on. By default `end` for a handler, and `keep` for `exec`, as inetd has it.
   */
  leftovers: option({
    topic: 'Isolation',
    takenBy: ['fork'],
    kind: choice('end', 'keep'),
    defaultText: 'end; with --exec, keep',
    help: 'what becomes of the processes that a connection leaves running',
  }),
  /**
   * Landlock's scope (landlock(7)): a child can signal, trace and read no process but its own, and connects to no abstract
   * Unix socket from outside. `auto`, the default: as far as this kernel has it, for a handler, and for `exec` with a
   * `user` or a `sandbox`; `require`: all of it, or the server does not start; `off`.
   */
  landlock: option({
    topic: 'Isolation',
    takenBy: ['fork'],
    kind: choice('auto', 'require', 'off'),
    default: 'auto',
    help: 'children can signal, trace and read no process but their own (landlock(7), Linux 6.12)',
  }),
  /**
   * For code that is not trusted: each part that is asked for holds, or the server does not start. `true` is the
   * strictest: no file can be opened, and no socket made.
   */
  sandbox: option({
    topic: 'Isolation',
    takenBy: ['fork'],
    kind: sandbox(),
    defaultText: 'none',
    help: 'files, network, processes and users of children that run untrusted code',
  }),
};
