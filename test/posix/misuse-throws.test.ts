/** Misuse: whatever an export is given, it throws an error, and the process lives. */
import { expect, test } from 'vitest';
import { calling, output } from './subject.ts';

/** Where a wrong argument could be a right one: they end or change this process, or wait, or reach other processes. */
const unfit = [
  'fork',
  '_exit',
  'exit',
  'pause',
  'sigsuspend',
  'sleep',
  'alarm',
  'raise',
  'kill',
  'killpg',
  'wait',
  'setuid',
];

test('every export, with wrong types, huge numbers, NaN, closed descriptors and detached buffers', async () => {
  const said = await output(
    calling(`
      const detached = new Uint8Array(8);
      structuredClone(detached.buffer, { transfer: [detached.buffer] });
      const proxy = new Proxy({}, { get() { throw new Error('a trap'); } });
      const values = [
        undefined, null, true, -1, 0.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 31), 999_999, 1n,
        '', 'text', 'a\\0b', Symbol('s'), [], [NaN], [{}], new Array(2 ** 32 - 1), {}, { family: 2 }, { family: 2, address: 'x', port: {} },
        { fd: 1e99, events: {} }, proxy, () => {}, new Uint8Array(0), detached, new Float64Array(4), new ArrayBuffer(8), new DataView(new ArrayBuffer(8)),
        new Map(), new Date(), Object.create(null), globalThis,
      ];
      // xorshift32, seeded: a failure can be repeated.
      let state = Number(process.argv[2]);
      const random = below => {
        state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
        return (state >>> 0) % below;
      };
      const unfit = new Set(${JSON.stringify(unfit)});
      const names = Object.keys(p).filter(name => typeof p[name] === 'function' && !unfit.has(name));
      // What waits, as poll([]) does, does not wait for ever.
      p.sigaction(p.SIGALRM, { sa_handler() {} });
      timer(5, 5);
      const counts = { returned: 0, thrown: 0 };
      const attempt = (name, args) => {
        try {
          const isClass = /^class/.test(Function.prototype.toString.call(p[name]));
          isClass ? new p[name](...args) : p[name](...args);
          counts.returned++;
        } catch (error) {
          if (!(error instanceof Error)) throw new Error(name + ' threw no Error');
          counts.thrown++;
        }
      };
      for (const name of names) for (const value of values) for (const count of [1, 2, 3]) attempt(name, Array(count).fill(value));
      for (let i = 0; i < 20_000; i++) {
        const name = names[random(names.length)];
        attempt(name, Array.from({ length: random(6) }, () => values[random(values.length)]));
      }
      assert.ok(counts.thrown > 10_000, JSON.stringify(counts));
      await new Promise(resolve => setTimeout(resolve, 10));
      globalThis.gc?.();
      console.log(names.length, 'calls live');
      process.exit(0);
    `),
    ['20261122'],
  );
  expect(said).toMatch(/^\d+ calls live\n$/);
  expect(Number.parseInt(said, 10)).toBeGreaterThan(60);
});

test('the calls that would end the process or wait refuse what is no number', async () => {
  const said = await output(
    calling(`
      for (const wrong of ['1', null, undefined, NaN, 1.5, 2 ** 40, {}, 1n, Symbol()])
        for (const call of [p._exit, p.sleep, p.alarm, p.raise, p.setuid, p.sigsuspend])
          assert.throws(() => call(wrong), error => error instanceof Error);
      for (const wrong of ['1', null, NaN, 2 ** 40]) {
        fails(typeof wrong === 'number' ? 'ERR_TRUEFORK_OUT_OF_RANGE' : 'ERR_TRUEFORK_ARGUMENT', () => p.kill(wrong, 0));
        fails(typeof wrong === 'number' ? 'ERR_TRUEFORK_OUT_OF_RANGE' : 'ERR_TRUEFORK_ARGUMENT', () => p.kill(p.getpid(), wrong));
      }
      console.log('lives');
    `),
  );
  expect(said).toBe('lives\n');
});

test('a message says which argument of which call, and what it has to be', async () => {
  const said = await output(
    calling(`
      const message = call => { try { call(); } catch (error) { console.log(\`\${error.name} \${error.code}: \${error.message}\`); } };
      message(() => p.listen('3', 5));
      message(() => p.listen(3, 2 ** 40));
      message(() => p.listen(3, 0.5));
      message(() => p.read(0, 'buffer'));
      message(() => p.read(0, Buffer.alloc(4), 5));
    `),
  );
  expect(said.trim().split('\n')).toEqual([
    'TypeError ERR_TRUEFORK_ARGUMENT: listen: sockfd must be a number',
    'RangeError ERR_TRUEFORK_OUT_OF_RANGE: listen: backlog must be from -2147483648 to 2147483647',
    'RangeError ERR_TRUEFORK_OUT_OF_RANGE: listen: backlog must be a whole number',
    'TypeError ERR_TRUEFORK_ARGUMENT: read: buffer must be a Uint8Array or Buffer',
    'RangeError ERR_TRUEFORK_OUT_OF_RANGE: read: length must be from 0 to 4',
  ]);
});
