/**
 * Passwords are kept as scrypt hashes: slow to compute, and with a salt of their own, so that a stolen database does not
 * give them away. The cost stands in each hash: it can be raised, and old hashes still be checked.
 *
 * The calls are the synchronous ones. In most servers they would hold up everyone; here each client has a process of its
 * own, and waits for nobody's password but its own.
 */
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

/** @typedef {{ N: number, r: number, p: number }} Cost */

/** What OWASP's Password Storage Cheat Sheet asks for, in 16 MiB of memory: some 200 ms. */
const defaultCost = { N: 2 ** 14, r: 8, p: 5 };
const hashLength = 32;

/**
 * @param {string} password
 * @param {Cost} [cost]
 */
export function hashPassword(password, { N, r, p } = defaultCost) {
  const salt = randomBytes(16);
  const hash = scryptSync(password, salt, hashLength, { N, r, p });
  return ['scrypt', N, r, p, salt.toString('base64'), hash.toString('base64')].join('$');
}

/**
 * Whether it is the password that was hashed. Without a hash it is not, but that takes as long to find out: the time
 * must not tell a stranger which names exist.
 *
 * @param {string} password
 * @param {string | undefined} stored
 */
export function verifyPassword(password, stored = unknownHash) {
  const [, N, r, p, salt = '', hash = ''] = stored.split('$');
  const expected = Buffer.from(hash, 'base64');
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const actual = scryptSync(password, Buffer.from(salt, 'base64'), expected.length, cost);
  // Not ===, which is the sooner done the earlier they differ.
  return timingSafeEqual(actual, expected);
}

/** No password is known to have this hash. */
const unknownHash = [
  'scrypt',
  ...Object.values(defaultCost),
  '',
  Buffer.alloc(hashLength).toString('base64'),
].join('$');
