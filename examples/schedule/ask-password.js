/** Asks for a password at the terminal, without showing it. */
import readline from 'node:readline/promises';
import { Writable } from 'node:stream';

/** @param {string} prompt */
export async function askPassword(prompt) {
  // readline would show what is typed: it gets a place to show it that nobody sees.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = readline.createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const interrupted = new AbortController();
  terminal.once('SIGINT', () => interrupted.abort());
  process.stderr.write(prompt);
  try {
    return await terminal.question('', { signal: interrupted.signal });
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
