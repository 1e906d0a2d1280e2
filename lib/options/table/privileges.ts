/** What the serving processes give up before the first client is served. */
import { group, permissions, user } from '../kinds/accounts.js';
import { folder } from '../kinds/files.js';
import { flag, list } from '../kinds/words.js';
import { option, serverKinds } from '../option.js';

export const privileges = {
  /**
   * The user, a name or number, that the serving processes run as, irrevocably, before the first client is served. The
   * server has to be started as root, and the program that has it stays root. docs/privileges.md says what runs as whom.
   */
  user: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: user(),
    help: 'user to run the serving processes as, before the first client; the server is started as root',
  }),
  /** The primary group to run as; the user's own by default. */
  group: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: group(),
    defaultText: "the user's own",
    help: 'primary group to run as',
  }),
  /** The supplementary groups to run with; none by default. */
  groups: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: list(group()),
    defaultText: 'none',
    help: 'supplementary group to run with; may be repeated',
  }),
  /** The folder that becomes their root (chroot(2)) once the handler is loaded. Needs `user`. */
  chroot: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: folder({ exists: true }),
    help: 'folder that becomes their root once the handler is loaded',
  }),
  /** Their working directory once the handler is loaded; with `chroot` a path inside it, `/` by default. */
  workingDirectory: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: folder({ exists: false }),
    help: 'their working directory once the handler is loaded; with --chroot, a path inside it',
  }),
  /** The permissions that the files they make do not get (umask(2)): a number, or octal digits. */
  umask: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: permissions(),
    help: 'permissions that the files they make do not get',
  }),
  /**
   * Whether programs that they execute may gain privileges: setuid bits count. By default not with a `user`, nor in the
   * children of a handler; there `true` leaves out Landlock, which forbids it.
   */
  newPrivs: option({
    topic: 'Privileges',
    takenBy: serverKinds,
    kind: flag(),
    defaultText: 'yes; with a user, and for a handler that is forked, no',
    help: 'whether programs that they execute may gain privileges; --no-new-privs is no_new_privs (prctl(2))',
  }),
};
