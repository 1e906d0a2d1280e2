/** A WebAssembly module, written byte by byte, and a different one for each constant: nothing is found in a cache. */

/** A 32-bit number as the binary format has it (LEB128, signed), in its longest form: always five bytes. */
function leb(/** @type {number} */ value) {
  const groups = [0, 7, 14, 21].map(shift => ((value >> shift) & 0x7f) | 0x80);
  return [...groups, (value >> 28) & 0x7f];
}

const section = (/** @type {number} */ id, /** @type {number[]} */ body) => [id, body.length, ...body];
const text = (/** @type {string} */ name) => [name.length, ...Buffer.from(name)];

/**
 * Exports `sum(n)`, which adds the constant n times in a loop; `load(address)`, which traps beyond its one page of
 * memory: V8 finds that out by a SIGSEGV; and `fail()`, which always traps.
 */
export function wasmModule(/** @type {number} */ constant) {
  const i32 = 0x7f;
  const sum = [
    [1, 1, i32], // a local: the sum
    [0x03, 0x40], // loop
    [0x20, 1, 0x41, ...leb(constant), 0x6a, 0x21, 1], // sum += constant
    [0x20, 0, 0x41, 1, 0x6b, 0x22, 0], // n -= 1
    [0x0d, 0, 0x0b], // go on while n is not 0
    [0x20, 1, 0x0b],
  ].flat();
  const load = [0, 0x20, 0, 0x28, 2, 0, 0x0b];
  const fail = [0, 0x00, 0x0b];
  const code = [sum, load, fail].flatMap(body => [body.length, ...body]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, 0x60, 1, i32, 1, i32, 0x60, 0, 0]), // two types: (i32) -> i32 and () -> ()
    ...section(3, [3, 0, 0, 1]),
    ...section(5, [1, 0, 1]),
    ...section(7, [3, ...text('sum'), 0, 0, ...text('load'), 0, 1, ...text('fail'), 0, 2]),
    ...section(10, [3, ...code]),
  ]);
}
