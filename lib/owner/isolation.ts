/** What children are confined by, from the options of a forking server. */
import type { Isolation } from '../binding/native.js';
import { badArgument, misuse } from '../errors.js';
import type { Checked } from '../options/table.js';

type Options = Pick<Checked<'fork'>, 'exec' | 'user' | 'newPrivs' | 'leftovers' | 'landlock' | 'sandbox'>;

const scopes = { off: 0, wanted: 1, required: 2 };

/** As ConfinementRules has it: nothing that the options of other servers could be. */
export const noIsolation: Isolation = { leftovers: false, scope: scopes.off };

/**
 * @throws `ERR_TRUEFORK_ARGUMENT` for what contradicts itself, `ERR_TRUEFORK_PRIVILEGES` for what would be no protection.
 */
export function resolveIsolation(options: Options): Isolation {
  const { exec, newPrivs, landlock, sandbox } = options;
  if (newPrivs === true && landlock === 'require')
    throw badArgument(
      'newPrivs lets programs gain privileges, which landlock forbids: leave one of them out',
    );
  if (newPrivs === true && sandbox !== undefined)
    throw badArgument('newPrivs lets programs gain privileges, which sandbox forbids: leave one of them out');
  assertUsers(options);
  const leftovers = options.leftovers ?? (exec === undefined ? 'end' : 'keep');
  return {
    leftovers: leftovers === 'end',
    scope: scopeOf(options),
    sandbox: rulesOf(options),
  };
}

function rulesOf({ sandbox, user }: Options): Isolation['sandbox'] {
  if (sandbox === undefined) return undefined;
  const { network, uids } = sandbox;
  return {
    ...sandbox,
    network: network === 'all' ? undefined : network,
    // The first of the range is the zygote's own, where no other user is given.
    uids: uids === undefined || user !== undefined ? uids : { ...uids, from: uids.from + 1 },
  };
}

function scopeOf({ exec, user, newPrivs, landlock, sandbox }: Options): number {
  if (landlock === 'require') return scopes.required;
  if (landlock === 'off' || newPrivs === true) return scopes.off;
  const isWanted = exec === undefined || user !== undefined || sandbox !== undefined;
  return isWanted ? scopes.wanted : scopes.off;
}

function assertUsers({ sandbox, user }: Options): void {
  if (sandbox === undefined) return;
  if (sandbox.maxProcesses !== undefined && sandbox.uids === undefined)
    throw misuse(
      'ERR_TRUEFORK_ISOLATION',
      'sandbox.maxProcesses needs sandbox.uids: the kernel counts processes by user, so children of one user would share ' +
        'the limit with each other and with everything else that the user runs',
    );
  if (sandbox.uids === undefined) return;
  if (process.geteuid!() !== 0)
    throw misuse('ERR_TRUEFORK_ISOLATION', 'sandbox.uids: only root can give children users of their own');
  if (user !== undefined && user >= sandbox.uids.from && user <= sandbox.uids.to)
    throw misuse(
      'ERR_TRUEFORK_ISOLATION',
      'user is one of sandbox.uids: the zygote needs a user that no child has',
    );
}
