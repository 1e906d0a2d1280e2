/** The pages of docs/: their programs run and say what stands below them, their links lead somewhere. */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { alike, type Block, blocksOf } from './harness/docs.ts';
import { get } from './harness/http.ts';
import { scriptFolder } from './harness/scripts.ts';
import { serve } from './harness/served.ts';
import { cli, node, run } from './harness/subject.ts';

const docs = path.resolve(import.meta.dirname, '../docs');
const root = path.dirname(docs);
const pages = fs.readdirSync(docs).filter(name => name.endsWith('.md'));

/** Pages that are still being written. */
const awaited: string[] = [];

/** The transcript's command, without the prompt, and what it printed. */
function transcript({ code }: Block): { command: string; output: string } {
  const [prompt, ...output] = code.split('\n');
  return { command: prompt!.replace(/^\$ /, ''), output: output.join('\n') };
}

/** Does what the command of the transcript does, with the server's real port. */
async function askAsShown(command: string, port: number): Promise<string> {
  const [, sent] = /^echo (.*) \| nc -N 127\.0\.0\.1 7777$/.exec(command) ?? [];
  if (sent !== undefined) return ask(port, `${sent}\n`);
  const [, url] = /^curl (\S+)$/.exec(command) ?? [];
  if (url === undefined) throw new Error(`a test would have to know what this does: ${command}`);
  return (await get(url.replace('7777', String(port)), { agent: false })).body;
}

function runAsShown(command: string, cwd: string) {
  const [, program, args] = /^(node|npx truefork) (.*)$/.exec(command) ?? [];
  if (args === undefined) throw new Error(`a test would have to know what this does: ${command}`);
  return run(node, program === 'node' ? args.split(' ') : [cli, ...args.split(' ')], { cwd });
}

describe.each(pages)('%s', page => {
  const blocks = blocksOf(path.join(docs, page));
  const folder = path.join(scriptFolder, 'docs', page);
  const files = blocks.filter(({ kind }) => kind === 'file');

  beforeAll(() => {
    fs.mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
    fs.symlinkSync(root, path.join(folder, 'node_modules/truefork'));
    for (const { name, code } of files) fs.writeFileSync(path.join(folder, name!), code);
  });

  test.skipIf(page === 'options.md')('every program is run, by itself or by another one', () => {
    const programs = blocks.filter(({ language }) => /^(js|ts)$/.test(language));
    expect(programs.filter(({ kind }) => kind !== 'file')).toEqual([]);
    const used = blocks.filter(block => block.kind !== undefined).map(block => `${block.name} ${block.code}`);
    for (const { name } of files) expect(used.filter(text => text.includes(name!)).length).toBeGreaterThan(1);
  });

  const served = blocks.filter(({ kind }) => kind === 'serve');
  if (served.length > 0) {
    test.each(served)('$name answers as it says', async block => {
      const { command, output } = transcript(block);
      const server = await serve(path.join(folder, block.name!), [], { cwd: folder });
      expect(alike(await askAsShown(command, server.port))).toBe(alike(output));
      expect(await server.exitOf(1)).toMatchObject({ code: 0, signal: null });
      await server.stop();
    });
  }

  const programs = blocks.filter(({ kind }) => kind === 'run');
  if (programs.length > 0) {
    test.each(programs)('$name prints what it says', async block => {
      const { command, output } = transcript(block);
      const result = await runAsShown(command, folder);
      expect({ ...result, stdout: alike(result.stdout) }).toEqual({
        code: 0,
        signal: null,
        stdout: alike(output),
        stderr: '',
      });
    });
  }

  test('every link leads somewhere', () => {
    const text = fs.readFileSync(path.join(docs, page), 'utf8').replaceAll(/^```.*?^```$/gms, '');
    for (const [, link] of text.matchAll(/\]\(([^)]+)\)/g)) {
      const [file, heading] = link!.split('#');
      if (/^https?:/.test(link!) || awaited.includes(file!)) continue;
      const target = file === '' ? path.join(docs, page) : path.resolve(docs, file!);
      expect(fs.existsSync(target), `${page} links to ${link}`).toBe(true);
      if (heading === undefined) continue;
      const headings = [...fs.readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
        title!
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
      expect(headings, `${page} links to ${link}`).toContain(heading);
    }
  });
});

test('every page is in the index', () => {
  const index = fs.readFileSync(path.join(docs, 'README.md'), 'utf8');
  for (const page of pages) if (page !== 'README.md') expect(index).toContain(`](${page})`);
});

test('every code of an error has its place in the troubleshooting', () => {
  const codes = new Set<string>();
  for (const folder of ['lib', 'native']) {
    for (const file of fs.readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(ts|cc|h)$/.test(file) || /^(build|test)\//.test(file)) continue;
      const source = fs.readFileSync(path.join(root, folder, file), 'utf8');
      for (const [code] of source.matchAll(/ERR_TRUEFORK_[A-Z_]*[A-Z]/g)) codes.add(code);
    }
  }
  expect(codes.size).toBeGreaterThan(15);
  const text = fs.readFileSync(path.join(docs, 'troubleshooting.md'), 'utf8');
  expect([...codes].filter(code => !text.includes(`### ${code}\n`))).toEqual([]);
});
