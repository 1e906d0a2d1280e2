/**
 * What the checks of options have to know about the machine. This room reads nothing itself, so that options can be
 * parsed, checked and tested anywhere; the owner has the answers for the machine that it runs on.
 */
import type { Place } from './place.js';

export interface Machine {
  /** The number of this user, or undefined where the user database has none of this name. */
  userId(name: string): number | undefined;
  groupId(name: string): number | undefined;
  /** What is at this path; undefined where there is nothing. */
  fileType(path: string): 'file' | 'folder' | 'other' | undefined;
  /** The most children that this user may have here. */
  mostChildren(): number;
  /** The longest backlog that listen(2) grants here. */
  mostBacklog(): number;
  /**
   * The sockets that a service manager has passed to this process; with a name, those that a socket unit calls so.
   *
   * @throws `ERR_TRUEFORK_LISTEN` where there are none.
   */
  passedSockets(name?: string): Place[];
}
