/** Finds and reads `truefork.config.{js,ts,json}`. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { lookUp } from '../options/table.js';
import { type Namespace, withoutInterop } from '../script/default-export.js';
import { importTypeScript, isTypeScript } from '../script/typescript.js';
import { UsageError } from './usage.js';

const names = ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts', 'json'].map(
  extension => `truefork.config.${extension}`,
);

export interface ConfigFile {
  /** As the user would call it, for messages. */
  name: string;
  values: Record<string, unknown>;
}

/**
 * The file at `wanted`, or the one in the working directory, if there is one.
 *
 * @throws UsageError where it is not there, or is no object of options; what a script in it throws.
 */
export async function readConfigFile(wanted: string | undefined): Promise<ConfigFile | undefined> {
  const found = wanted === undefined ? names.filter(name => fs.existsSync(name)) : [wanted];
  const [name, another] = found;
  if (name === undefined) return undefined;
  if (another !== undefined) throw new UsageError(`there are ${found.join(' and ')}: say which by --config`);
  if (!fs.existsSync(name)) throw new UsageError(`--config ${name}: there is no such file`);
  const file = path.resolve(name);
  const values = file.endsWith('.json') ? readJson(name) : await importDefault(name, file);
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw new UsageError(
      `${name} has to export an object of options as default: export default { port: 7777 }`,
    );
  return { name, values: resolvePaths(values as Record<string, unknown>, path.dirname(file)) };
}

function readJson(name: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(name, 'utf8'));
  } catch (error) {
    throw new UsageError(`${name}: ${(error as Error).message}`);
  }
}

async function importDefault(name: string, file: string): Promise<unknown> {
  // A file that has changed since it was last read is another module.
  delete createRequire(import.meta.url).cache[file];
  const href = `${pathToFileURL(file).href}?${fs.statSync(file).mtimeMs}`;
  const module: Namespace = await (isTypeScript(file) ? importTypeScript(href) : import(href));
  if (module.default === undefined)
    throw new UsageError(`${name} has no default export: export default { port: 7777 }`);
  return withoutInterop(module).default;
}

function resolvePaths(values: Record<string, unknown>, folder: string): Record<string, unknown> {
  const resolved = Object.entries(values).map(([name, value]) => [
    name,
    lookUp(name)?.kind.resolve?.(value, folder) ?? value,
  ]);
  return Object.fromEntries(resolved);
}
