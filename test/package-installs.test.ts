/**
 * The package as users get it: packed, and installed in an empty project far from this repository, on a machine that
 * has no compiler. `TRUEFORK_TARBALL` names one that is packed already.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { libc, target } from '../lib/binding/platform.ts';
import { ask } from './harness/client.ts';
import { node, run, Subject } from './harness/subject.ts';

const root = path.resolve(import.meta.dirname, '..');
const npm =
  process.env.npm_execpath ?? fs.realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim());
const slow = { timeout: 600_000 };

/** Everything is in here, and nothing above it: no node_modules of this repository's. */
let folder: string;
let tarball: string;
let project: string;
let environment: Record<string, string>;
/** What npm said as it installed the tarball. */
let said: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'truefork-package-'));
  tarball = process.env.TRUEFORK_TARBALL ?? pack();
  // A PATH with what npm and its scripts cannot do without, and nothing that compiles.
  const bin = path.join(folder, 'bin');
  fs.mkdirSync(bin);
  fs.symlinkSync(node, path.join(bin, 'node'));
  fs.symlinkSync('/bin/sh', path.join(bin, 'sh'));
  environment = {
    PATH: bin,
    HOME: folder,
    npm_config_cache: path.join(folder, 'cache'),
    npm_config_offline: 'true',
  };
  project = emptyProject('project');
  const { stdout, stderr } = await expectSuccess(npm, ['install', tarball], { cwd: project });
  said = stdout + stderr;
}, slow.timeout);

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** In a copy of what is built: the clone is left as it is, for whatever else is run in it meanwhile. */
function pack(): string {
  const cwd = path.join(folder, 'clone');
  const parts = ['README.md', 'CHANGELOG.md', 'LICENSE', 'package.json', 'binding.gyp'];
  for (const name of [...parts, 'dist', 'docs', 'native', 'scripts', 'build/Release/truefork.node'])
    fs.cpSync(path.join(root, name), path.join(cwd, name), {
      recursive: true,
      preserveTimestamps: true,
      filter: source => path.relative(root, source) !== 'native/build',
    });
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(cwd, 'node_modules'));
  execFileSync(process.execPath, ['scripts/complete-package.js'], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const args = ['scripts/pack.js', folder];
  const name = execFileSync(process.execPath, args, { cwd, encoding: 'utf8', env: withoutNpm() });
  return path.join(folder, name.trim());
}

/** What `npm test` set for this run is not meant for an npm that is started by it. */
function withoutNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
}

function emptyProject(name: string): string {
  const project = path.join(folder, name);
  fs.mkdirSync(project);
  fs.writeFileSync(path.join(project, 'package.json'), '{ "private": true, "type": "module" }');
  return project;
}

/** As a user on that machine would: with its PATH, and no variable of ours. */
function there(command: string, args: string[], { cwd = project }: { cwd?: string } = {}) {
  const program = [
    '/usr/bin/env',
    '-i',
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
  ];
  return run(program[0]!, [...program.slice(1), 'node', command, ...args], { cwd, deadline: slow.timeout });
}

async function expectSuccess(command: string, args: string[], options?: { cwd?: string }) {
  const result = await there(command, args, options);
  expect(result, result.stdout + result.stderr).toMatchObject({ code: 0, signal: null });
  return result;
}

function write(name: string, text: string): string {
  const file = path.join(project, name);
  fs.writeFileSync(file, text);
  return file;
}

const installed = (...names: string[]) => path.join(project, 'node_modules/truefork', ...names);
const command = () => path.join(project, 'node_modules/.bin/truefork');

describe('the tarball', () => {
  test('carries its binaries, and nothing that npm would run or build', () => {
    const manifest = JSON.parse(fs.readFileSync(installed('package.json'), 'utf8'));
    expect(manifest.gypfile).toBe(false);
    expect(manifest.scripts).toBeUndefined();
    expect(manifest.dependencies).toBeUndefined();
    expect(manifest.os).toBeUndefined(); // it can be imported, and its types used, everywhere
    expect(fs.existsSync(installed('binding.gyp'))).toBe(false);
    expect(fs.existsSync(installed('prebuilds', target(), 'truefork.node'))).toBe(true);
    expect(fs.existsSync(installed('build'))).toBe(false);
  });

  test('gives npm no reason to warn: from npm 12 on, of scripts that it does not run', () => {
    expect(said).toMatch(/added 1 package/);
    expect(said.split('\n').filter(line => /script/i.test(line))).toEqual([]);
  });

  test('has what belongs into it, and no more', () => {
    const files = fs.readdirSync(installed(), { recursive: true, withFileTypes: true });
    const names = files.filter(file => file.isFile()).map(file => path.join(file.parentPath, file.name));
    const tops = new Set(names.map(name => path.relative(installed(), name).split('/')[0]));
    expect([...tops].sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'native', 'package.json', 'prebuilds'].sort(),
    );
    expect(names.filter(name => /\.(map|ts)$/.test(name) && !name.endsWith('.d.ts'))).toEqual([]);
    expect(names.filter(name => name.includes('/native/test/'))).toEqual([]);
  });

  test('is smaller than 2 MB', () => {
    expect(fs.statSync(tarball).size).toBeLessThan(2_000_000);
  });

  // A build for this machine alone may be for newer systems.
  test.runIf(process.env.TRUEFORK_TARBALL)(
    'has binaries that ask for no newer system than Node does',
    async () => {
      const check = path.join(root, 'scripts/check-binaries.js');
      const result = await run(process.execPath, [check], { cwd: installed() });
      expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
      expect(result.stdout).toContain(`${target()}: within the baseline`);
    },
  );
});

describe('installs, builds nothing, and serves', () => {
  async function expectToServe(cwd: string): Promise<void> {
    fs.writeFileSync(path.join(cwd, 'upper.js'), upper);
    const script = path.join(cwd, 'node_modules/.bin/truefork');
    const env = { ...environment, NODE_OPTIONS: '' };
    const server = new Subject(node, [script, 'serve', 'upper.js', '--port', '0'], { cwd, env });
    const [, port] = await server.says(/listening on 127\.0\.0\.1:(\d+)/);
    const answer = await ask(Number(port), 'hello');
    const [, pid] = await server.says(/process (\d+) exited with 0/);
    expect(answer).toBe(`HELLO from ${pid}`);
    server.signal('SIGINT');
    expect(await server.ended).toEqual({ code: 130, signal: null });
    expect(fs.existsSync(path.join(cwd, 'node_modules/truefork/build'))).toBe(false);
  }
  const upper =
    "export default { data(conn, chunk) { conn.write(chunk.toString().toUpperCase() + ' from ' + process.pid); } };";

  test('npm install', slow, () => expectToServe(project));

  test.each([['ci'], ['ci', '--ignore-scripts'], ['install', '--ignore-scripts']])(
    'npm %s %s',
    slow,
    async (...args) => {
      const cwd = emptyProject(args.join(''));
      for (const file of ['package.json', 'package-lock.json'])
        fs.copyFileSync(path.join(project, file), path.join(cwd, file));
      await expectSuccess(npm, args, { cwd });
      await expectToServe(cwd);
    },
  );
});

describe('is imported', () => {
  test('by import', async () => {
    const script = write(
      'import.js',
      "import { ForkingServer } from 'truefork'; import { getpid } from 'truefork/posix'; " +
        'console.log(typeof ForkingServer, getpid() === process.pid);',
    );
    expect((await expectSuccess(script, [])).stdout).toBe('function true\n');
  });

  test('by require()', async () => {
    const script = write(
      'require.cjs',
      "const { ForkingServer } = require('truefork'); const { getpid } = require('truefork/posix'); " +
        'console.log(typeof ForkingServer, getpid() === process.pid);',
    );
    expect((await expectSuccess(script, [])).stdout).toBe('function true\n');
  });

  test('by a script that forks', async () => {
    const script = write(
      'fork.js',
      "import 'truefork/auto'; import { fork, waitpid, WEXITSTATUS, _exit } from 'truefork/posix'; " +
        'const pid = fork(); if (pid === 0) _exit(7); console.log(WEXITSTATUS(waitpid(pid).status));',
    );
    expect((await expectSuccess(script, [])).stdout).toBe('7\n');
    expect((await expectSuccess(command(), ['run', script])).stdout).toBe('7\n');
  });

  test('on other systems: each call says that it is for Linux', async () => {
    for (const platform of ['darwin', 'win32']) {
      const script = write(
        `${platform}.js`,
        `Object.defineProperty(process, 'platform', { value: '${platform}' });
        const { ForkingServer, IterativeServer, SelectServer } = await import('truefork');
        const posix = await import('truefork/posix');
        await import('truefork/auto');
        const calls = { fork: [], socket: [2, 1, 0], getpid: [], kill: [1, 0], waitpid: [-1], signal: [2, () => {}] };
        const attempts = Object.entries(calls).map(([name, args]) => () => posix[name](...args));
        for (const Server of [ForkingServer, IterativeServer, SelectServer])
          attempts.push(() => new Server({ handler: import.meta.url }));
        for (const attempt of attempts) {
          try { attempt(); console.log('no error from', String(attempt)); }
          catch ({ code }) { console.log(code); }
        }`,
      );
      const { stdout } = await expectSuccess(script, []);
      expect(stdout).toBe('ERR_TRUEFORK_PLATFORM\n'.repeat(9));
    }
  });
});

test('a release names the repository that it is built in, without which npm refuses provenance', async () => {
  const workflow = fs.readFileSync(path.join(root, '.github/workflows/release.yml'), 'utf8');
  const [, command] = /- run: (npm pkg set .*)/.exec(workflow)!;
  const cwd = emptyProject('repository');
  const env = {
    ...environment,
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'somebody/truefork',
  };
  const script = command!.replace('npm', `${JSON.stringify(node)} ${JSON.stringify(npm)}`);
  const result = await run('/bin/sh', ['-c', script], { cwd, env });
  expect(result, result.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(fs.readFileSync(path.join(cwd, 'package.json'), 'utf8')).repository).toEqual({
    type: 'git',
    url: 'git+https://github.com/somebody/truefork.git',
  });
});

test('examples/ci: what a student does, step by step', slow, async () => {
  const cwd = path.join(folder, 'assignment');
  fs.cpSync(path.join(root, 'examples/ci'), cwd, { recursive: true });
  await expectSuccess(npm, ['install', tarball], { cwd }); // the registry need not have this version yet
  fs.rmSync(path.join(cwd, 'node_modules'), { recursive: true });
  const workflow = fs.readFileSync(path.join(cwd, '.github/workflows/test.yml'), 'utf8');
  const commands = [...workflow.matchAll(/- run: (.*)/g)].map(([, line]) => line!.split(' '));
  expect(commands.map(([program]) => program)).toEqual(['npm', 'npx', 'npm']);
  for (const [program, ...args] of commands)
    await expectSuccess(program === 'npm' ? npm : npm.replace('npm-cli', 'npx-cli'), args, { cwd });
});

describe('types', () => {
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  test.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('module %s, moduleResolution %s', slow, async (module, moduleResolution) => {
    // What every TypeScript project on Node has.
    fs.mkdirSync(path.join(project, 'node_modules/@types'), { recursive: true });
    for (const types of ['@types/node', 'undici-types']) {
      const link = path.join(project, 'node_modules', types);
      if (!fs.existsSync(link)) fs.symlinkSync(path.join(root, 'node_modules', types), link);
    }
    write(
      'types.ts',
      `import 'truefork/auto';
      import { type CallbacksHandler, type ExitInfo, ForkingServer } from 'truefork';
      import { AF_INET, SOCK_STREAM, socket } from 'truefork/posix';
      const handler: CallbacksHandler = { data(conn, chunk) { conn.write(chunk); } };
      const server = new ForkingServer({ handler: './upper.js' });
      server.on('exit', ({ code }: ExitInfo) => code satisfies number | null);
      const fd: number = socket(AF_INET, SOCK_STREAM, 0);
      // @ts-expect-error: the types are really here, not any
      server.listen({ port: 'http' });
      export { fd, handler };`,
    );
    const options = {
      module,
      moduleResolution,
      target: 'es2023',
      strict: true,
      noEmit: true,
      types: ['node'],
    };
    write('tsconfig.json', JSON.stringify({ compilerOptions: options, files: ['types.ts'] }));
    const result = await run(process.execPath, [tsc, '-p', project], { deadline: slow.timeout });
    expect(result, result.stdout).toMatchObject({ code: 0, stdout: '' });
  });
});

describe('where the binary does not fit', () => {
  test('the error says what was looked for, and the one command that builds it', async () => {
    const aside = installed('aside');
    fs.renameSync(installed('prebuilds'), aside);
    try {
      const script = write(
        'missing.js',
        "import { getpid } from 'truefork/posix'; console.log('imported'); getpid();",
      );
      const result = await there(script, []);
      expect(result).toMatchObject({ code: 1, stdout: 'imported\n' });
      expect(result.stderr).toContain("code: 'ERR_TRUEFORK_ADDON'");
      expect(result.stderr).toContain(`${process.platform}-${process.arch}, ${libc()}`);
      expect(result.stderr).toContain(installed('build/Release/truefork.node'));
      expect(result.stderr).toContain(
        path.join('prebuilds', target(), 'truefork.node: there is no such file'),
      );
      expect(result.stderr).toContain('npx truefork build');

      const doctor = await there(command(), ['doctor', '--json']);
      expect(doctor.code).toBe(1);
      expect(JSON.parse(doctor.stdout)).toMatchObject({
        ok: false,
        findings: expect.arrayContaining([expect.objectContaining({ name: 'addon', verdict: 'failure' })]),
      });
    } finally {
      fs.renameSync(aside, installed('prebuilds'));
    }
  });

  // Alpine's musl, and that of Debian and others, where the loader's name is a link. A process of musl's has musl mapped,
  // whatever else it loads.
  test.runIf(libc() === 'glibc').each(['ld-musl-x86_64.so.1', 'libc.so'])(
    'the C library is told by what the process has loaded: musl is %s',
    async name => {
      // The mapping is what counts, so any library by that name will do.
      const loader = path.join(folder, name);
      fs.copyFileSync(installed('prebuilds', target(), 'truefork.node'), loader);
      const script = write(
        'libc.js',
        `process.dlopen({ exports: {} }, ${JSON.stringify(loader)});
        const { getpid } = await import('truefork/posix'); getpid();`,
      );
      fs.renameSync(installed('prebuilds', target()), installed('prebuilds/aside'));
      try {
        const result = await there(script, []);
        expect(result.stderr).toContain(`linux-${process.arch}-musl/truefork.node`);
        // A build for glibc, as in a clone that a container of Alpine's has mounted: musl would load it, and crash.
        fs.cpSync(installed('prebuilds/aside'), installed('build/Release'), { recursive: true });
        const other = await there(script, []);
        expect(other.stderr).toContain('build/Release/truefork.node: it is made for glibc, and this is musl');
      } finally {
        fs.rmSync(installed('build'), { recursive: true, force: true });
        fs.renameSync(installed('prebuilds/aside'), installed('prebuilds', target()));
      }
    },
  );

  test('truefork build says what this machine lacks', async () => {
    const result = await there(command(), ['build']);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(/lacks a C\+\+17 compiler.*, make, Python 3/);
    expect(result.stderr).toContain('apt install g++ make python3');
  });

  // A minute: by `npm run release:dry` and on the release's own machines.
  test.runIf(process.env.TRUEFORK_PACKAGE === 'whole')('truefork build builds it', slow, async () => {
    const aside = installed('aside');
    fs.renameSync(installed('prebuilds'), aside);
    try {
      const built = await run(node, [command(), 'build'], { cwd: project, deadline: slow.timeout });
      expect(built, built.stderr).toMatchObject({ code: 0 });
      const doctor = await there(command(), ['doctor']);
      expect(doctor).toMatchObject({ code: 0, stderr: '' });
      expect(doctor.stdout).toMatch(/ok {4}addon +build\/Release\/truefork\.node/);
    } finally {
      fs.rmSync(installed('build'), { recursive: true, force: true });
      fs.renameSync(aside, installed('prebuilds'));
    }
  });
});
