/** What options have to know about this machine. */
import fs from 'node:fs';
import { native } from '../binding/native.js';
import { badArgument } from '../errors.js';
import * as check from '../options/check.js';
import type { Machine } from '../options/machine.js';
import type { Taker } from '../options/option.js';
import type { Checked, CheckedValue, OptionName } from '../options/table.js';
import { mostBacklog, mostChildren } from './system-limits.js';
import { listenFds } from './systemd.js';

export const thisMachine: Machine = {
  userId: name => native.userId(name),
  groupId: name => native.groupId(name),
  fileType(path) {
    const found = fs.statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
  },
  mostChildren,
  mostBacklog,
  passedSockets: listenFds,
};

/** The options that a program gave, checked and completed for this machine. */
export function checkOptions<T extends Taker>(taker: T, given: object): Checked<T> {
  return check.checkOptions(thisMachine, taker, given);
}

/** One of them; `label` is what the user calls it. */
export function checkOption<Name extends OptionName>(
  name: Name,
  value: unknown,
  label?: string,
): CheckedValue<Name> {
  return check.checkOption(thisMachine, name, value, label);
}

/** @throws `ERR_TRUEFORK_ARGUMENT` where there is none, in a server that nothing else can serve for. */
export function assertHandler(handler: URL | undefined): void {
  if (handler === undefined) throw badArgument('handler has to be the path or file: URL of a script');
}
