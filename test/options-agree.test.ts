/** One table of options: a program, the command line, a config file and the documentation all say the same. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type {
  CheckedLimits,
  CommandOptions,
  Config,
  EndingLimit,
  ForkingServerOptions,
  IterativeServerOptions,
  ListenOptions,
  RefusalReason,
  SelectServerOptions,
  ServerOptions,
  Size,
} from '../lib/index.ts';
import type { NamesOf, OptionName } from '../lib/options/table.ts';
import { ask } from './harness/client.ts';
import { script, scriptFolder } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, node, run, runScript, Subject } from './harness/subject.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';
const truefork = (...args: string[]) => run(node, [cli, ...args]);

let folders = 0;

/** A project of somebody's, with these files in it and this package installed. */
function folder(files: Record<string, string>): string {
  const made = path.join(scriptFolder, `config-${process.pid}-${++folders}`);
  fs.mkdirSync(path.join(made, 'node_modules'), { recursive: true });
  fs.symlinkSync(path.resolve('.'), path.join(made, 'node_modules/truefork'));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(made, name), text);
  return made;
}

test('a program may give what the table has, and nothing else', () => {
  expectTypeOf<keyof ForkingServerOptions>().toEqualTypeOf<NamesOf<'fork'>>();
  expectTypeOf<keyof IterativeServerOptions>().toEqualTypeOf<NamesOf<'iterative'>>();
  expectTypeOf<keyof SelectServerOptions>().toEqualTypeOf<NamesOf<'select'>>();
  expectTypeOf<keyof ListenOptions>().toEqualTypeOf<NamesOf<'listen'>>();
  expectTypeOf<keyof CommandOptions>().toEqualTypeOf<NamesOf<'command'>>();
  expectTypeOf<keyof Config>().toEqualTypeOf<OptionName>();
  expectTypeOf<ForkingServerOptions['maxMemory']>().toEqualTypeOf<Size | undefined>();
  expectTypeOf<ServerOptions['handler']>().toEqualTypeOf<string | URL>();
  expectTypeOf<CheckedLimits['idleTimeout']>().toEqualTypeOf<number>();
  expectTypeOf<RefusalReason>().toEqualTypeOf<
    'address' | 'maxPerSource' | 'acceptRatePerSource' | 'maxChildren' | 'acceptRate'
  >();
  expectTypeOf<EndingLimit>().toEqualTypeOf<
    'firstByteTimeout' | 'idleTimeout' | 'connectionTimeout' | 'maxCpuTime' | 'maxMemory' | 'gracePeriod'
  >();
});

test('every option has a comment, which an editor shows, and docs/options.md is up to date', () => {
  const { stdout } = spawnSync(process.execPath, ['scripts/options.js', '--print'], { encoding: 'utf8' });
  expect(fs.readFileSync('docs/options.md', 'utf8'), 'npm run docs:options').toBe(stdout);
  const names = [...stdout.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name!);
  expect(names).toContain('gracePeriod');
  const shown = commentsOfConfig();
  for (const name of names) expect(shown.get(name), name).toMatch(/\w{3}/);
});

/** The options of a config file, each with what an editor shows of it, where the package is installed. */
function commentsOfConfig(): Map<string, string> {
  const file = path.resolve('dist/index.d.ts');
  const program = ts.createProgram([file], { module: ts.ModuleKind.NodeNext, types: ['node'] });
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!);
  const config = exported.find(({ name }) => name === 'Config')!;
  const options = checker.getDeclaredTypeOfSymbol(checker.getAliasedSymbol(config)).getProperties();
  return new Map(
    options.map(option => [option.name, ts.displayPartsToString(option.getDocumentationComment(checker))]),
  );
}

describe('in a program', () => {
  test('an unknown option is an error that names the one that was meant', async () => {
    const handler = script(echo);
    const { stdout, code } = await runScript(
      script(`
        import { ForkingServer, IterativeServer } from 'truefork';
        const handler = ${JSON.stringify(handler)};
        const tries = [
          () => new ForkingServer({ handler, maxChilds: 3 }),
          () => new ForkingServer({ handler, graceperiod: 3 }),
          () => new ForkingServer({ handler, nonsense: 3 }),
          () => new IterativeServer({ handler, maxChildren: 3 }),
          () => new ForkingServer({ handler }).listen({ prot: 0 }),
          () => new ForkingServer({ handler, gracePeriod: '5' }),
          () => new ForkingServer({ handler, gracePeriod: '30d' }),
          () => new ForkingServer({ handler, gracePeriod: '1000h' }),
        ];
        for (const attempt of tries) {
          try { await attempt(); console.log('no error'); }
          catch (error) { console.log(error.code, error.message); }
        }
      `),
    );
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(
        /^ERR_TRUEFORK_ARGUMENT unknown option "maxChilds": did you mean maxChildren\? There are /,
      ),
      expect.stringMatching(/did you mean gracePeriod\?/),
      expect.stringMatching(/^ERR_TRUEFORK_ARGUMENT unknown option "nonsense"; there are handler, exec, /),
      'ERR_TRUEFORK_ARGUMENT "maxChildren" is no option of an IterativeServer, but of a ForkingServer',
      expect.stringMatching(/unknown option "prot": did you mean port\?/),
      expect.stringMatching(/^ERR_TRUEFORK_ARGUMENT gracePeriod has to be a time .*; not "5"$/),
      expect.stringMatching(/not "30d"$/),
      expect.stringMatching(/not "1000h"$/),
    ]);
  });

  test('a time is milliseconds, or a text with its unit', async () => {
    const stubborn = script("process.on('SIGTERM', () => {}); export default socket => socket.write('x');");
    const result = await runScript(
      script(`
        import net from 'node:net';
        import { ForkingServer } from 'truefork';
        for (const killDelay of [300, '300ms', '0.3s']) {
          const server = new ForkingServer({ handler: ${JSON.stringify(stubborn)}, gracePeriod: '0s', killDelay });
          await server.listen(0, '127.0.0.1');
          const client = net.connect(server.address().port, '127.0.0.1').on('error', () => {});
          await new Promise(resolve => client.once('data', resolve));
          const began = Date.now();
          await server.close();
          if (Date.now() - began < 290) throw new Error('killed too early');
        }
        console.log('pass');
      `),
    );
    expect(result).toEqual({ code: 0, signal: null, stdout: 'pass\n', stderr: '' });
  });
});

describe('on the command line', () => {
  const handler = script(echo);
  const wrong: [args: string[], line: RegExp][] = [
    [['--max-childs', '3'], /Unknown option '--max-childs': did you mean --max-children\?/],
    [['--mode', 'iterative', '--max-children', '3'], /--max-children is no option of an IterativeServer/],
    [['--mode', 'forked'], /--mode has to be "fork", "iterative" or "select", not "forked"/],
    [['--grace-period', '5'], /--grace-period has to be a time .* not "5"/],
    [['--port', '7000000'], /--port has to be a whole number from 0 to 65535, not 7000000/],
    [['--config', 'nowhere.json'], /--config nowhere\.json: there is no such file/],
  ];
  test.each(wrong)('%j is one clear line', async (args, line) => {
    const result = await truefork('serve', handler, ...args);
    expect(result).toMatchObject({ code: 2, signal: null, stdout: '' });
    expect(result.stderr).toMatch(line);
    expect(result.stderr).toMatch(/^truefork: .*\n$/);
  });

  test('the help has every option, its default, and no line is too long', async () => {
    const { stdout, code } = await truefork('serve', '--help');
    expect(code).toBe(0);
    const documented = fs.readFileSync('docs/options.md', 'utf8').matchAll(/`(?:-\w, )?(--[a-z0-9-]+)/g);
    for (const [, flag] of documented) expect(stdout).toContain(`${flag}`);
    expect(stdout).toMatch(/--grace-period <time> .*\(5s\)/);
    expect(Math.max(...stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(120);
  });
});

describe('in a config file', () => {
  const typed = `
    import { defineConfig } from 'truefork';
    export default defineConfig({ handler: './echo.mjs', port: 0, maxChildren: 1, gracePeriod: '0s', json: true });
  `;
  const files: [name: string, text: string][] = [
    ['truefork.config.js', typed],
    ['truefork.config.ts', typed.replace('})', '} satisfies object)')],
    [
      'truefork.config.cjs',
      'module.exports = { handler: "./echo.mjs", port: 0, json: true, maxChildren: 1 };',
    ],
    ['truefork.config.json', '{ "handler": "echo.mjs", "port": 0, "json": true, "maxChildren": 1 }'],
  ];

  /** Serves with what the config file says, and shows that it does by its `maxChildren: 1`. */
  async function expectOneAtATime(args: string[], cwd: string): Promise<void> {
    const server = new Subject(node, [cli, 'serve', ...args], { cwd });
    const [, port] = await server.says(/^\{"event":"listening",.*"port":(\d+)\}\n/);
    expect(await ask(Number(port), 'hello')).toBe('hello');
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
    expect(server.stderr).toBe('');
  }

  test.each(files)('%s in the working directory is found', async (name, text) => {
    const cwd = folder({ [name]: text, 'echo.mjs': echo, 'package.json': '{"type":"module"}' });
    await expectOneAtATime([], cwd);
  });

  test('--config names another; its paths are relative to it', async () => {
    const other = folder({
      'lab.json': '{ "handler": "echo.mjs", "port": 0, "json": true }',
      'echo.mjs': echo,
    });
    await expectOneAtATime(['--config', path.join(other, 'lab.json')], folder({}));
  });

  test('the command line wins over it', async () => {
    const cwd = folder({ 'truefork.config.json': '{ "port": 1, "json": true, "handler": "none.js" }' });
    const server = new Subject(node, [cli, 'serve', script(echo), '-p', '0', '--no-json'], { cwd });
    await server.says(/^listening on /);
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });

  test('its limits hold', async () => {
    const file = path.join(folder({ 'a.json': '{ "maxChildren": 1 }' }), 'a.json');
    const server = await serve(echo, ['--config', file]);
    const first = await server.connect();
    await first.exchange('first');
    const second = await server.connect();
    second.send('second');
    await server.connectionOf(1);
    await first.exchange('still the first');
    expect(second.received).toBe('');
    expect(server.connections.length).toBe(1);
    await first.end();
    expect(String(await second.receive(6))).toBe('second');
    await second.end();
    await server.stop();
  });

  const wrong: [files: Record<string, string>, line: RegExp][] = [
    [
      { 'truefork.config.json': '{ "maxChilds": 1 }' },
      /unknown option maxChilds \(truefork\.config\.json\): did you mean maxChildren\?/,
    ],
    [
      { 'truefork.config.json': '{ "port": "x" }' },
      /port \(truefork\.config\.json\) has to be a whole number .* not "x"/,
    ],
    [{ 'truefork.config.json': '{ "port": ' }, /truefork\.config\.json: .*JSON/],
    [{ 'truefork.config.json': '[]' }, /truefork\.config\.json has to export an object of options/],
    [{ 'truefork.config.mjs': 'export const port = 1;' }, /truefork\.config\.mjs has no default export/],
    [
      { 'truefork.config.json': '{}', 'truefork.config.js': '' },
      /there are truefork\.config\.js and truefork\.config\.json: say which by --config/,
    ],
    [
      { 'truefork.config.json': '{ "multiplexer": "poll" }' },
      /multiplexer \(truefork\.config\.json\) is no option of a ForkingServer, but of a SelectServer/,
    ],
    [
      { 'truefork.config.json': '{ "mode": "poll" }' },
      /mode \(truefork\.config\.json\) cannot be "poll": .*--mode select --multiplexer poll/,
    ],
    [{ 'truefork.config.json': '{}' }, /which handler\?/],
  ];
  test.each(wrong)('%j is one clear line', async (files, line) => {
    const result = await run(node, [cli, 'serve'], { cwd: folder(files) });
    expect(result).toMatchObject({ code: 2, signal: null, stdout: '' });
    expect(result.stderr).toMatch(line);
    expect(result.stderr).toMatch(/^truefork: .*\n$/);
  });
});
