import { expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { serve } from './harness/served.ts';

test('two hundred children draw nothing twice, though all caches were warm', async () => {
  const server = await serve(`
    import { randomInt, randomUUID, webcrypto, randomBytes } from 'node:crypto';
    const { random } = Math;
    const draws = {
      random: () => random(),
      'Math.random': () => Math.random(),
      randomUUID: () => randomUUID(),
      'crypto.randomUUID': () => crypto.randomUUID(),
      webcrypto: () => webcrypto.randomUUID(),
      randomInt: () => randomInt(2 ** 47),
      randomBytes: () => randomBytes(8).toString('hex'),
      getRandomValues: () => String(crypto.getRandomValues(new Uint32Array(2))),
    };
    export function beforeServe() { for (const draw of Object.values(draws)) for (let n = 0; n < 10; n++) draw(); }
    export default { open(conn) { conn.end(JSON.stringify(Object.entries(draws).map(([name, draw]) => [name, draw(), draw()]))); } };
  `);
  const drawn = new Map<string, unknown[]>();
  for (let child = 0; child < 200; child++) {
    for (const [name, ...values] of JSON.parse(await ask(server.port)))
      drawn.set(name, [...(drawn.get(name) ?? []), ...values]);
  }
  expect(drawn.size).toBe(8);
  for (const [name, values] of drawn) expect([name, new Set(values).size]).toEqual([name, 400]);
  await server.stop();
});

test('Math.random() stays even: mean and spread of a hundred thousand draws', async () => {
  const server = await serve(`
    export default { open(conn) {
      const values = Array.from({ length: 1e5 }, () => Math.random());
      const mean = values.reduce((a, b) => a + b) / 1e5;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / 1e5;
      conn.end(JSON.stringify({ mean, variance, inRange: values.every(v => v >= 0 && v < 1), name: Math.random.name }));
    } };
  `);
  const { mean, variance, inRange, name } = JSON.parse(await ask(server.port));
  expect(inRange).toBe(true);
  expect(name).toBe('random');
  // Six standard errors: 1/sqrt(12 n) for the mean, sqrt(1/180 n) for the variance.
  expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.0055);
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.0015);
  await server.stop();
});

test('a library can renew its own pools: registerAtFork', async () => {
  const server = await serve(`
    import { registerAtFork } from 'truefork';
    const pool = ['warm'];
    registerAtFork({ afterInChild() { pool[0] = 'renewed in ' + process.pid; } });
    export default { open(conn) { conn.end(pool[0]); } };
  `);
  const said = await ask(server.port);
  expect(said).toBe(`renewed in ${(await server.connectionOf(1)).pid}`);
  await server.stop();
});
