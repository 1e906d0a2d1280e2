import { badArgument, misuse } from '../errors.js';
import { assertAllowed, assertTaken, checkOptions, type ServerOptions } from '../options/check.js';
import type { SpareCount } from '../options/kinds.js';
import {
  assertGrantable,
  type CheckedLimits,
  changeLimits,
  type LimitOptions,
  limitNames,
  type NewLimits,
  pickLimits,
} from '../options/limits.js';
import type { Checked } from '../options/table.js';
import { findProgram } from './program.js';
import { Server } from './server.js';
import { settingCommands } from './settings.js';

export interface ForkingServerOptions extends Omit<ServerOptions, 'handler'>, LimitOptions {
  /** The handler script: a path, relative to the working directory, or a `file:` URL. It, or `exec`. */
  handler?: string | URL;
  /**
   * In the place of a handler script, a program and its arguments, as inetd and tcpserver serve by: the connection is
   * its standard input and output, its environment tells who is there (`PROTO`, `TCPREMOTEIP`, `TCPREMOTEPORT`,
   * `TCPLOCALIP`, `TCPLOCALPORT`, or `UNIXLOCALPATH`, `UNIXREMOTEEUID`, …: UCSPI), every other descriptor is closed,
   * and no signal is blocked or ignored. It is looked for in PATH, once. No Node runs in the child.
   */
  exec?: readonly string[];
  /**
   * Children that are forked before there is a connection for them, so that no client waits for a fork; 0 by default.
   * They count among `maxChildren`, and appear in no record before they serve. With `{ min, max }` there are `min` at
   * rest, and up to `max` while clients come faster than children can be forked.
   */
  spare?: SpareCount;
  /**
   * How many connections a child serves, one after the other, before it leaves; 1 by default. With more, what one
   * connection leaves behind in memory the next finds there: it is Apache's MaxConnectionsPerChild, for handlers that
   * trust themselves.
   */
  connectionsPerChild?: number;
  /**
   * Each child that gets a connection opens Node's inspector on a free port of 127.0.0.1, tells its URL on standard
   * error, and waits for a debugger before it serves; not by default. With `connectionsPerChild` it waits before the
   * first, and the debugger stays for the others; spare children open nothing. For development: whoever
   * can reach the port can run code.
   */
  inspectChild?: boolean;
}

/**
 * A TCP server that serves each connection in a forked process of its own, which begins with everything that the
 * handler script had in memory. It takes every form of handler.
 *
 * @example
 * const server = new ForkingServer({ handler: './echo.js' });
 * server.on('exit', ({ pid, code, signal }) => console.log(pid, code ?? signal));
 * await server.listen(7777);
 */
export class ForkingServer extends Server {
  #limits: CheckedLimits;
  readonly #killDelay: number;

  /**
   * @throws `ERR_TRUEFORK_ARGUMENT`, `ERR_TRUEFORK_HANDLER` or `ERR_TRUEFORK_LIMIT` for options that cannot be.
   */
  constructor(options: ForkingServerOptions) {
    const checked = checkOptions('fork', options);
    if ((checked.handler === undefined) === (checked.exec === undefined))
      throw badArgument('a ForkingServer takes either handler, the path of a script, or exec, a program');
    const limits = pickLimits(checked);
    assertPossible(limits);
    assertLeftToChildren(checked);
    assertForked(checked);
    const program = checked.exec === undefined ? undefined : findProgram(checked.exec);
    super({ ...checked, program, most: limits.maxChildren }, 'fork');
    this.#limits = limits;
    this.#killDelay = checked.killDelay;
  }

  /** The most connections that are served at once. It can be set at any time, as by {@link setLimits}. */
  get maxChildren(): number {
    return this.#limits.maxChildren;
  }

  set maxChildren(maxChildren: number) {
    this.setLimits({ maxChildren });
  }

  /** What holds now, every default filled in. */
  get limits(): Readonly<CheckedLimits> {
    return { ...this.#limits };
  }

  /**
   * Changes some of the limits while the server runs. Times hold for the connections that there are, too; what a child
   * may use, for children to come; nobody who is in is turned out for a limit of those who may come in.
   *
   * @throws as the constructor; then nothing has changed.
   */
  setLimits(changes: NewLimits): void {
    for (const name of Object.keys(changes)) {
      assertTaken(name, ['fork']);
      if (!(limitNames as readonly string[]).includes(name))
        throw badArgument(
          `${name} cannot be changed while the server runs; these can: ${limitNames.join(', ')}`,
        );
    }
    const limits = changeLimits(this.#limits, changes);
    assertPossible(limits);
    this.#limits = limits;
    this.sendSettings();
  }

  protected override settings(): Buffer[] {
    return settingCommands(this.#limits, this.#killDelay);
  }
}

/** Children are given their resources when their privileges are gone already. */
function assertLeftToChildren({ user, oomScoreAdj, nice = 0 }: Checked<'fork'>): void {
  if (user === undefined || (oomScoreAdj === undefined && nice >= 0)) return;
  const name = oomScoreAdj === undefined ? 'a nice below 0' : 'oomScoreAdj';
  throw misuse(
    'ERR_TRUEFORK_PRIVILEGES',
    `${name} is for root to give, whom user has given up: leave one of them out`,
  );
}

/** A program is executed for one connection, when that is there: it knows of no other. */
function assertForked({ exec, spare, connectionsPerChild, inspectChild, watch }: Checked<'fork'>): void {
  if (exec === undefined) return;
  const stray = spare.max > 0 ? 'spare' : connectionsPerChild > 1 ? 'connectionsPerChild' : undefined;
  if (stray !== undefined)
    throw badArgument(`${stray} is for a handler script: exec executes its program for each connection`);
  if (inspectChild)
    throw badArgument('inspectChild is for a handler script: exec runs no Node in its children');
  if (watch)
    throw badArgument('watch is for a handler script: exec reads its program anew for each connection');
}

function assertPossible(limits: CheckedLimits): void {
  assertAllowed(limits.maxChildren);
  assertGrantable(limits);
}
