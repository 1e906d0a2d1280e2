/** Scripts and folders. */
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { badArgument, misuse } from '../../errors.js';
import { type Kind, show } from '../kind.js';

export function handlerScript(): Kind<string | URL, URL> {
  return {
    placeholder: 'file',
    parse: given => given,
    resolve: (value, folder) =>
      typeof value === 'string' && !isUrl(value) ? path.resolve(folder, value) : value,
    check(name, value, machine) {
      if (typeof value === 'function') {
        throw badArgument(
          `${name} has to be the path of a script: it runs in another process, where a function would not find ` +
            'the variables around it. Move it to a file and export it as default; or call fork() yourself (truefork run)',
        );
      }
      if (typeof value !== 'string' && !(value instanceof URL))
        throw badArgument(`${name} has to be the path or file: URL of a script, not ${show(value)}`);
      const given = String(value);
      if (isUrl(given) && !given.startsWith('file:'))
        throw badArgument(`${name} ${given} is not a file: URL`);
      const file = isUrl(given) ? fileURLToPath(given) : path.resolve(given);
      const type = machine.fileType(file);
      if (type === 'file') return pathToFileURL(file);
      const problem = type === undefined ? 'there is no such file' : 'it is not a file';
      throw misuse('ERR_TRUEFORK_HANDLER', `${name} ${given}: ${problem}`);
    },
    show: String,
  };
}

/** A folder. It has to exist now, unless it is to be looked up later, below another root. */
export function folder({ exists }: { exists: boolean }): Kind<string> {
  return {
    placeholder: 'folder',
    parse: given => given,
    resolve: (value, from) => (typeof value === 'string' ? path.resolve(from, value) : value),
    check(name, value, machine) {
      if (typeof value !== 'string' || value === '' || value.includes('\0'))
        throw badArgument(`${name} has to be the path of a folder, not ${show(value)}`);
      if (exists && machine.fileType(path.resolve(value)) !== 'folder')
        throw badArgument(`${name} ${value}: there is no such folder`);
      return path.resolve(value);
    },
    show: String,
  };
}

function isUrl(given: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(given);
}
