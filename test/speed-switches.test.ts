/** TRUEFORK_SPEED: each measure that is there for speed alone can be left out, and everything works without all of them. */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { serve } from './harness/served.ts';
import { cli, node, run } from './harness/subject.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';

test('without any of the measures a server serves as with them', async () => {
  const none =
    '-text-huge-pages,-data-huge-pages,-heap-placement,-arena,-garbage,-settled-malloc,-rehearsal,-prespawn';
  const server = await serve(echo, ['--spare', '2'], { env: { TRUEFORK_SPEED: none } });
  const maps = fs.readFileSync(`/proc/${server.zygotePid}/maps`, 'utf8');
  expect(maps).not.toContain('truefork: text');
  const environment = fs.readFileSync(`/proc/${server.zygotePid}/environ`, 'utf8');
  expect(environment).not.toContain('LD_PRELOAD');
  for (let n = 1; n <= 5; n++) expect(await ask(server.port, `hello ${n}`)).toBe(`hello ${n}`);
  expect((await server.exitOf(5)).code).toBe(0);
  await server.stop();
});

test('a name that is no measure is refused, with those that are', async () => {
  const { code, stderr } = await run(node, [cli, 'serve', '--exec', 'cat', '--port', '0'], {
    env: { TRUEFORK_SPEED: '-arena,-warp' },
  });
  expect(code).toBe(1);
  expect(stderr).toContain('TRUEFORK_SPEED: "-warp" is not -NAME, with NAME one of text-huge-pages,');
});
