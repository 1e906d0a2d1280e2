/**
 * Bytes in, lines out. TCP carries a stream: what one side writes as a line may arrive in pieces, in the middle of a
 * letter too, and many lines may arrive at once.
 */
import { isUtf8 } from 'node:buffer';

const newline = 0x0a;

/** @typedef {{ text: string, problem?: undefined } | { problem: string }} Line */

export class LineReader {
  #longest;
  /** What has arrived of a line that is not complete. Never more than the longest line: this is all a client can fill. */
  #begun = Buffer.alloc(0);
  #isTooLong = false;

  /** @param {number} longest The longest line that is taken, in bytes. */
  constructor(longest) {
    this.#longest = longest;
  }

  /**
   * Takes what has arrived, and gives the lines that it completes. An end of line is LF, as `nc` sends it, or CR LF, as
   * telnet does.
   *
   * @param {Buffer} chunk
   * @returns {Generator<Line, void>}
   */
  *read(chunk) {
    let start = 0;
    for (let end; (end = chunk.indexOf(newline, start)) >= 0; start = end + 1) {
      this.#gather(chunk.subarray(start, end));
      yield this.#complete();
    }
    this.#gather(chunk.subarray(start));
  }

  /** @param {Buffer} bytes */
  #gather(bytes) {
    this.#isTooLong ||= this.#begun.length + bytes.length > this.#longest;
    this.#begun = this.#isTooLong ? Buffer.alloc(0) : Buffer.concat([this.#begun, bytes]);
  }

  /** @returns {Line} */
  #complete() {
    const bytes = this.#begun;
    const isTooLong = this.#isTooLong;
    this.#begun = Buffer.alloc(0);
    this.#isTooLong = false;
    if (isTooLong) return { problem: `a line has at most ${this.#longest} bytes` };
    if (!isUtf8(bytes)) return { problem: 'a line is UTF-8 text' };
    return { text: bytes.toString().replace(/\r$/, '') };
  }
}
