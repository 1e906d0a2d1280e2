/** What a build of the addon needs, and where it is on this machine. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { misuse } from '../errors.js';

export interface Tools {
  nodeGyp: string;
  /** Where Node's headers are, if they came with it. Otherwise node-gyp fetches them. */
  nodedir: string | undefined;
}

/** @throws `ERR_TRUEFORK_BUILD`, which lists everything that is missing, and how to get it. */
export function findTools(): Tools {
  const missing: string[] = [];
  const need = (what: string, commands: readonly (string | undefined)[]) => {
    if (!commands.some(command => command !== undefined && runs(command))) missing.push(what);
  };
  need('a C++17 compiler (g++ or clang++)', [process.env.CXX, 'g++', 'c++', 'clang++']);
  need('make', [process.env.MAKE, 'make']);
  need('Python 3', [process.env.npm_config_python, process.env.PYTHON, 'python3', 'python']);
  const nodeGyp = findNodeGyp();
  if (nodeGyp === undefined) missing.push('node-gyp (it comes with npm: try npx truefork build)');
  if (missing.length > 0) {
    throw misuse(
      'ERR_TRUEFORK_BUILD',
      `to build the addon this machine lacks ${missing.join(', ')}.\n` +
        '  Debian, Ubuntu   apt install g++ make python3\n' +
        '  Fedora, RHEL     dnf install gcc-c++ make python3\n' +
        '  Alpine           apk add g++ make python3\n' +
        'Where you may install nothing: build it on a machine like this one, and copy build/Release/truefork.node',
    );
  }
  return { nodeGyp: nodeGyp!, nodedir: findHeaders() };
}

/** A command may have words after it, as in `CXX="ccache g++"`. */
function runs(command: string): boolean {
  const [program, ...words] = command.split(' ');
  try {
    execFileSync(program!, [...words, '--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function findNodeGyp(): string | undefined {
  const require = createRequire(import.meta.url);
  const prefix = path.dirname(path.dirname(process.execPath));
  const places = [
    () => require.resolve('node-gyp/bin/node-gyp.js'),
    () => process.env.npm_config_node_gyp,
    () => path.join(prefix, 'lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js'),
    () => path.join(prefix, 'share/nodejs/node-gyp/bin/node-gyp.js'), // Debian's own package
  ];
  for (const place of places) {
    try {
      const file = place();
      if (file !== undefined && fs.existsSync(file)) return file;
    } catch {
      // not installed beside this package
    }
  }
  return undefined;
}

function findHeaders(): string | undefined {
  if (process.env.npm_config_nodedir !== undefined) return undefined; // node-gyp goes by it
  const prefix = path.dirname(path.dirname(process.execPath));
  return fs.existsSync(path.join(prefix, 'include/node/node_api.h')) ? prefix : undefined;
}
