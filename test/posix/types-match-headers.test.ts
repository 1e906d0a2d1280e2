/** The types themselves: checked by `npm run typecheck`, and the constants' against what the headers say. */
import fs from 'node:fs';
import { expect, expectTypeOf, test } from 'vitest';
import * as posix from '../../lib/posix/index.ts';
import { calling, output } from './subject.ts';

test('constants have literal types', () => {
  expectTypeOf(posix.AF_INET).toEqualTypeOf<2>();
  expectTypeOf(posix.SIGCHLD).toEqualTypeOf<17>();
  expectTypeOf(posix.WNOHANG).toEqualTypeOf<1>();
  expectTypeOf(posix.SIG_DFL).toEqualTypeOf<0>();
  expectTypeOf(posix.SA_RESTART).toEqualTypeOf<0x10000000>();
});

test('the literals are what the C headers of this machine have', async () => {
  const actual = JSON.parse(
    await output(
      calling(
        'console.log(JSON.stringify(Object.fromEntries(Object.entries(p).filter(([, v]) => Number.isInteger(v)))))',
      ),
    ),
  ) as Record<string, number>;
  const source = fs.readFileSync(new URL('../../lib/binding/posix-constants.ts', import.meta.url), 'utf8');
  const declared = [...source.matchAll(/^ {2}(\w+): (-?\d+);$/gm)];
  expect(declared.length).toBeGreaterThan(140);
  for (const [, name, value] of declared) expect(`${name} ${actual[name!]}`).toBe(`${name} ${value}`);
});

test('calls take and give what the man pages say', () => {
  expectTypeOf<Parameters<typeof posix.socket>>().toEqualTypeOf<
    [domain: number, type: number, protocol?: number | undefined]
  >();
  expectTypeOf(posix.accept).returns.toBeNumber();
  expectTypeOf(posix.fork).toEqualTypeOf<() => number>();
  expectTypeOf(posix._exit).returns.toBeNever();
  expectTypeOf(posix.execve).returns.toBeNever();
  expectTypeOf(posix.waitpid).returns.toEqualTypeOf<posix.WaitResult>();
  expectTypeOf(posix.wait4).returns.toExtend<{ pid: number; status: number; rusage: posix.RUsage }>();
  expectTypeOf(posix.pipe).returns.toEqualTypeOf<[number, number]>();
  expectTypeOf(posix.read).parameter(1).toEqualTypeOf<Uint8Array>();
  expectTypeOf<Buffer>().toExtend<Parameters<typeof posix.write>[1]>();
  expectTypeOf(posix.signal).returns.toEqualTypeOf<posix.SigHandler>();
  expectTypeOf(posix.sigaction).returns.toEqualTypeOf<posix.SigAction>();
});

test('an address is known by its family', () => {
  const name = {} as posix.SockAddr;
  if (name.family === posix.AF_UNIX) expectTypeOf(name).toEqualTypeOf<posix.SockAddrUn>();
  if (name.family === posix.AF_INET) expectTypeOf(name).toEqualTypeOf<posix.SockAddrIn>();
  if (name.family === posix.AF_INET6) expectTypeOf(name).toEqualTypeOf<posix.SockAddrIn6>();
  // @ts-expect-error an IPv4 address has a port
  expectTypeOf<{ family: 2; address: string }>().toExtend<posix.SockAddr>();
});

test('the options whose value is a struct have its type', () => {
  const get = posix.getsockopt;
  const unused = () => {
    expectTypeOf(get(3, posix.SOL_SOCKET, posix.SO_LINGER)).toEqualTypeOf<posix.Linger>();
    expectTypeOf(get(3, posix.SOL_SOCKET, posix.SO_RCVTIMEO)).toEqualTypeOf<posix.TimeVal>();
    expectTypeOf(get(3, posix.IPPROTO_TCP, posix.TCP_CONGESTION)).toEqualTypeOf<string>();
    expectTypeOf(get(3, posix.SOL_SOCKET, posix.SO_REUSEADDR)).toEqualTypeOf<number>();
  };
  expect(unused).toBeTypeOf('function');
});

test('every function and class has a comment', () => {
  for (const family of ['fork', 'io', 'process', 'select', 'signal', 'socket', 'wait']) {
    const source = fs.readFileSync(new URL(`../../lib/posix/${family}.ts`, import.meta.url), 'utf8');
    const functions = [
      ...source.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?export (?:function|class) (\w+)/g),
    ];
    const silent = functions.filter(
      ([, comment], i) => comment === undefined && functions[i - 1]?.[2] !== functions[i]?.[2],
    );
    expect(silent.map(([, , name]) => name)).toEqual([]);
  }
});
