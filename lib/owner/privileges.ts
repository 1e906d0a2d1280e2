/** The privileges that the serving processes give up, by the options of a server. */

import { native, type Privileges } from '../binding/native.js';
import { misuse } from '../errors.js';
import type { Checked } from '../options/table.js';

interface UidRange {
  from: number;
  to: number;
}

type Options = Pick<
  Checked<'iterative'>,
  'user' | 'group' | 'groups' | 'chroot' | 'workingDirectory' | 'umask' | 'newPrivs'
>;

/**
 * Undefined where nothing is to be given up.
 *
 * @throws `ERR_TRUEFORK_PRIVILEGES` for what would be no protection.
 */
export function resolvePrivileges(given: Options, uids?: UidRange): Privileges | undefined {
  const options = uids === undefined ? given : asFirstOf(uids, given);
  const { user, groups, chroot, workingDirectory, umask, newPrivs = user === undefined } = options;
  if (user === 0) throw pointless('user root gives nothing up: name another, or leave it out');
  if (user === undefined && chroot !== undefined)
    throw pointless('a process of root can leave a chroot: give a user too');
  const group = options.group ?? (user === undefined ? undefined : native.passwdEntry(user)?.gid);
  if (user !== undefined && group === undefined)
    throw pointless(`user ${user} is in no user database, which would say the group: give a group too`);
  if (group === undefined && groups !== undefined)
    throw pointless('groups are given up with the group: give a user or group too');
  const nothing =
    group === undefined && workingDirectory === undefined && umask === undefined && newPrivs === true;
  if (nothing) return undefined;
  return {
    user,
    group,
    groups,
    root: chroot,
    folder: workingDirectory,
    umask,
    noNewPrivs: !newPrivs,
    startsUsers: uids === undefined ? undefined : true,
  };
}

/** The zygote is a user of its own, too: the first of the range, where no other is given. */
function asFirstOf({ from }: UidRange, options: Options): Options {
  const { user = from, group = from } = options;
  return { ...options, user, group };
}

/** The variables that say who the user is. */
export function environmentOf(privileges: Privileges | undefined): NodeJS.ProcessEnv {
  const entry = privileges?.user === undefined ? undefined : native.passwdEntry(privileges.user);
  return entry === undefined ? {} : { HOME: entry.home, USER: entry.name, LOGNAME: entry.name };
}

function pointless(message: string): Error {
  return misuse('ERR_TRUEFORK_PRIVILEGES', message);
}
