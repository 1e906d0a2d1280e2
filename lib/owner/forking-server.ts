import { badArgument, misuse } from '../errors.js';
import type { CheckedLimits, ForkingServerOptions, NewLimits } from '../options/interfaces.js';
import { changeLimits, pickLimits } from '../options/limits.js';
import type { Checked } from '../options/table.js';
import { resolveIsolation } from './isolation.js';
import { checkOptions, thisMachine } from './machine.js';
import { findProgram } from './program.js';
import { Server } from './server.js';
import { settingCommands } from './settings.js';
import { assertGrantable } from './system-limits.js';

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
    assertGrantable(limits);
    assertLeftToChildren(checked);
    assertForked(checked);
    const connectionsPerChild = connectionsOf(checked);
    const program = checked.exec === undefined ? undefined : findProgram(checked.exec);
    const isolation = resolveIsolation(checked);
    super({ ...checked, connectionsPerChild, isolation, program }, 'fork');
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
   * Changes some of the limits while the server runs. Times hold for present connections too; resources only for
   * children to come. No connection is ended because a limit on new ones was lowered.
   *
   * @throws as the constructor; then nothing has changed.
   */
  setLimits(changes: NewLimits): void {
    const limits = changeLimits(thisMachine, this.#limits, changes);
    assertGrantable(limits);
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

/** How many connections each child serves. */
function connectionsOf({ connectionsPerChild, rollback, inspectChild }: Checked<'fork'>): number {
  if (!rollback) return connectionsPerChild ?? 1;
  if (connectionsPerChild === 1)
    throw badArgument(
      'rollback is for children that serve several connections: leave connectionsPerChild out, or set it above 1',
    );
  if (inspectChild)
    throw badArgument(
      'a child that is being debugged cannot be rolled back: leave rollback or inspectChild out',
    );
  return connectionsPerChild ?? 10_000;
}

/** A program is executed for one connection, when that is there: it knows of no other. */
function assertForked(options: Checked<'fork'>): void {
  const { exec, spare, connectionsPerChild = 1, rollback, inspectChild, watch } = options;
  if (exec === undefined) return;
  const reuses = connectionsPerChild > 1 ? 'connectionsPerChild' : undefined;
  const stray = spare.max > 0 ? 'spare' : rollback ? 'rollback' : reuses;
  if (stray !== undefined)
    throw badArgument(`${stray} is for a handler script: exec executes its program for each connection`);
  if (inspectChild)
    throw badArgument('inspectChild is for a handler script: exec runs no Node in its children');
  if (watch)
    throw badArgument('watch is for a handler script: exec reads its program anew for each connection');
}
