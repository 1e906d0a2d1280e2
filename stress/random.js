/** Draws that can be repeated: the same seed gives the same forks, works and exit codes. */

/** mulberry32, by Tommy Ettinger: a generator of 32 bits whose whole state is one number. */
export class Draws {
  #state;

  constructor(/** @type {number} */ seed) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 to `below` - 1. */
  upTo(/** @type {number} */ below) {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  /**
   * One of these.
   * @template T
   * @param {readonly T[]} choices
   * @returns {T}
   */
  oneOf(choices) {
    return choices[this.upTo(choices.length)];
  }
}
