/** Loads a handler script and makes sure that it can be served. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { classifyHandler, type Handler, type HandlerForm, type HandlerModule } from '../child/handler.js';
import { misuse } from '../errors.js';
import type { ServerKind } from '../options/option.js';
import { type Namespace, withoutInterop } from '../script/default-export.js';
import { importTypeScript, isTypeScript } from '../script/typescript.js';

export interface LoadedHandler {
  form: HandlerForm;
  handler: Handler;
  beforeServe: HandlerModule['beforeServe'] | undefined;
  afterFork: HandlerModule['afterFork'] | undefined;
}

/** @throws the script's own error, or `ERR_TRUEFORK_HANDLER` where it exports nothing that can be served. */
export async function loadHandler(url: string): Promise<LoadedHandler> {
  const module: Namespace = isTypeScript(url) ? await importTypeScript(url) : await import(url);
  const exported = withoutInterop(module);
  const classified = classifyHandler(exported.default);
  if ('problem' in classified) {
    throw misuse(
      'ERR_TRUEFORK_HANDLER',
      `${path.basename(fileURLToPath(url))} cannot be served: ${classified.problem}. ` +
        'A handler script exports a callbacks object, a function of a socket, or a net, http, https or tls server',
    );
  }
  return {
    form: classified.form,
    handler: exported.default as Handler,
    beforeServe: hook(exported, 'beforeServe'),
    afterFork: hook(exported, 'afterFork'),
  };
}

/** @throws `ERR_TRUEFORK_HANDLER` where this kind of server cannot serve this form. */
export function assertForm({ form }: LoadedHandler, mode: ServerKind): void {
  if (mode === 'select' && form !== 'callbacks') {
    throw misuse(
      'ERR_TRUEFORK_HANDLER',
      `a select server needs a callbacks object as handler, not a ${form}: it calls open, data and close as ` +
        'select() finds a connection ready. The forking and the iterative server take every form',
    );
  }
}

/** `module.exports = handler; module.exports.beforeServe = …` is how CommonJS exports a name beside its default. */
function hook<Name extends 'beforeServe' | 'afterFork'>(
  module: Namespace,
  name: Name,
): HandlerModule[Name] | undefined {
  const value = module[name] ?? (module.default as Namespace | undefined)?.[name];
  if (value !== undefined && typeof value !== 'function')
    throw misuse('ERR_TRUEFORK_HANDLER', `${name} has to be a function`);
  return value as HandlerModule[Name] | undefined;
}
