/**
 * What a program may give, by who takes it: interfaces that the table makes, comments included. They are named here, and
 * nothing in them is said twice.
 */
import type { CheckedValue, LimitName, NamesOf, Options } from './table.js';

/** What servers of every kind take. */
export interface ServerOptions
  extends Options<Exclude<NamesOf<'iterative'>, 'handler'>>,
    Required<Options<'handler'>> {}

export interface SelectServerOptions extends ServerOptions, Options<'maxConnections' | 'multiplexer'> {}

/** It takes either `handler` or `exec`. */
export interface ForkingServerOptions extends Options<NamesOf<'fork'>> {}

/** What limits a forking server. All of it can be changed while the server runs: `server.setLimits()`. */
export interface LimitOptions extends Options<LimitName> {}

/** The limits that hold, every default filled in. */
export type CheckedLimits = { [Name in LimitName]: CheckedValue<Name> };

/** New values for some of the limits; null is the default again. */
export type NewLimits = { [Name in LimitName]?: LimitOptions[Name] | null };

/** Where to listen, and how: as `net.Server.listen`, and more. `host` and `port`, or `path`, or `fd`. */
export interface ListenOptions extends Options<NamesOf<'listen'>> {}

/** What the command has beside the options of the servers and of `listen()`. */
export interface CommandOptions extends Options<NamesOf<'command'>> {}
