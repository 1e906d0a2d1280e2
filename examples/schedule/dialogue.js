/** The client's end of the connection: asks the server, a request at a time. */
import { once } from 'node:events';
import net from 'node:net';
import { LineReader } from './lines.js';

/** In bytes: far more than any line that the server sends. */
const longestLine = 4096;

/** @typedef {{ status: string, text: string, lines: string[] }} Reply The lines of a LIST; else there are none. */

export class Dialogue {
  #socket;
  #lines;

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    this.#lines = linesOf(socket);
  }

  /**
   * Connects, and takes the greeting.
   *
   * @param {{ host: string, port: number }} where
   */
  static async open(where) {
    const socket = net.connect(where);
    await once(socket, 'connect');
    const dialogue = new Dialogue(socket);
    await dialogue.#reply();
    return dialogue;
  }

  /**
   * @param {string} request
   * @returns {Promise<Reply>}
   */
  ask(request) {
    // One line, whatever was typed or pasted: each line that is sent would get a reply of its own.
    this.#socket.write(`${request.replace(/\s+/g, ' ').trim()}\n`);
    return this.#reply();
  }

  close() {
    this.#socket.end();
  }

  async #reply() {
    const [, status = '', text = ''] = /^(\S+) ?(.*)$/.exec(await this.#line()) ?? [];
    /** @type {string[]} */
    const lines = [];
    if (status === 'LIST') {
      // Two dots stand for one that begins a line; one alone is the end.
      for (let line; (line = await this.#line()) !== '.'; ) lines.push(line.replace(/^\.\./, '.'));
    }
    return { status, text, lines };
  }

  async #line() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the connection is lost: see list, whether the last request was done');
    return value;
  }
}

/** @param {net.Socket} socket */
async function* linesOf(socket) {
  const reader = new LineReader(longestLine);
  for await (const chunk of socket) {
    for (const line of reader.read(chunk)) {
      if (line.problem !== undefined) throw new Error(`that is no schedule server: ${line.problem}`);
      yield line.text;
    }
  }
}
