/**
 * Randomness that differs between siblings.
 *
 * V8 and Node keep drawn entropy in the heap, so children forked from one parent would all draw the same
 * `Math.random()`, `randomUUID()` and `randomInt()`. The functions here replace them before any other code can keep the
 * originals, and seed themselves anew at the first draw in a child: a child that draws nothing pays nothing.
 * (`randomBytes` and `getRandomValues` need no help: OpenSSL notices a fork by itself.)
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { native } from '../binding/native.js';

/** How many forks this process is away from the start of the script. */
let generation = 0;

export function startNewGeneration(): void {
  generation++;
}

/** xoshiro128** by Blackman and Vigna (2018): as good as V8's own generator, but with a state that can be set. */
function seededRandom(): () => number {
  const state = new Uint32Array(4);
  let seededIn = -1;

  const next = () => {
    const result = Math.imul(rotateLeft(Math.imul(state[1]!, 5), 7), 9);
    const t = state[1]! << 9;
    state[2]! ^= state[0]!;
    state[3]! ^= state[1]!;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= t;
    state[3] = rotateLeft(state[3]!, 11);
    return result >>> 0;
  };

  return function random() {
    if (seededIn !== generation) {
      seededIn = generation;
      native.getrandom(new Uint8Array(state.buffer));
    }
    // 53 bits, the precision of a double: 27 from one draw and 26 from the next.
    return ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
  };
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Wraps a function that draws from a cache of `draws` results: a new process first uses up the cache that it inherited. */
function renewed<Draw extends (...args: never[]) => unknown>(original: Draw, useUp: () => void): Draw {
  let drawnIn = generation;
  const wrapper = function (this: unknown, ...args: never[]) {
    if (drawnIn !== generation) {
      drawnIn = generation;
      useUp();
    }
    return original.apply(this, args);
  };
  for (const property of ['name', 'length'] as const)
    Object.defineProperty(wrapper, property, { value: original[property], configurable: true });
  return wrapper as unknown as Draw;
}

const uuidsCached = 128; // lib/internal/crypto/random.js, kBatchSize
const intsCached = 1024; // the same, randomCache: 6 KiB of 6 bytes a draw

export function makeRandomnessForkable(): void {
  Math.random = seededRandom();

  const { randomUUID, randomInt } = crypto;
  const useUpUuids = () => {
    for (let draw = 0; draw < uuidsCached; draw++) randomUUID();
  };
  const useUpInts = () => {
    for (let draw = 0; draw < intsCached; draw++) randomInt(2);
  };
  crypto.randomUUID = renewed(randomUUID, useUpUuids);
  crypto.randomInt = renewed(randomInt, useUpInts);
  syncBuiltinESMExports();

  const webCrypto: typeof globalThis.crypto = Object.getPrototypeOf(globalThis.crypto);
  webCrypto.randomUUID = renewed(webCrypto.randomUUID, useUpUuids);
}
