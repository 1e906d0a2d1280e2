import { badArgument, misuse } from '../errors.js';

/** As Python's `os.register_at_fork`: what a library does around a fork, so that its state suits the child. */
export interface AtForkHandlers {
  /** In the parent, before the fork. The last registered runs first. */
  before?: () => void;
  /** In the parent, after the fork. */
  afterInParent?: () => void;
  /** In each child, before anything else of the script's runs there. */
  afterInChild?: () => void;
}

type Moment = keyof AtForkHandlers;

interface Registry {
  handlers: AtForkHandlers[];
  /** The loop of a zygote is C++: no JavaScript can run there around a fork. */
  isZygote: boolean;
}

// One registry for the process, also where a library brings its own copy of this package.
const key = Symbol.for('truefork.atFork');
const holder = globalThis as unknown as Record<symbol, Registry | undefined>;
const registry: Registry = (holder[key] ??= { handlers: [], isZygote: false });

const moments: readonly Moment[] = ['before', 'afterInParent', 'afterInChild'];

/**
 * Registers functions to run around every fork of this process: for pools of ids, caches of randomness, connections
 * that parent and child must not share. In a handler script only `afterInChild` can be served, for the process that
 * forks there runs no JavaScript between one connection and the next.
 *
 * @throws `ERR_TRUEFORK_ARGUMENT` where a handler is not a function, or the name is unknown.
 * @throws `ERR_TRUEFORK_ZYGOTE` for `before` or `afterInParent` in a handler script.
 */
export function registerAtFork(handlers: AtForkHandlers): void {
  for (const [name, handler] of Object.entries(handlers)) {
    if (!moments.includes(name as Moment))
      throw badArgument(`registerAtFork() knows no "${name}": it takes ${moments.join(', ')}`);
    if (handler !== undefined && typeof handler !== 'function')
      throw badArgument(`registerAtFork() takes a function as "${name}"`);
  }
  if (registry.isZygote && (handlers.before ?? handlers.afterInParent)) {
    throw misuse(
      'ERR_TRUEFORK_ZYGOTE',
      'a handler script is forked by a loop that runs no JavaScript between forks: use afterInChild alone',
    );
  }
  registry.handlers.push(handlers);
}

/** Whether any handler is registered for this moment. */
export function handlesFork(moment: Moment): boolean {
  return registry.handlers.some(handlers => handlers[moment] !== undefined);
}

export function runAtFork(moment: Moment): void {
  const inOrder = moment === 'before' ? [...registry.handlers].reverse() : registry.handlers;
  for (const handlers of inOrder) handlers[moment]?.();
}

export function declareZygote(): void {
  registry.isZygote = true;
}
