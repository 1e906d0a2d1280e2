/**
 * The tracer's process. All ptrace calls have to come from one thread, and waitpid() for all of its children would take
 * those of libuv: so it does nothing else, and no JavaScript runs while it traces.
 */
import fs from 'node:fs';
import { native, type TracerSettings } from '../binding/native.js';

const socket = 3;
const newline = '\n'.charCodeAt(0);

/** Byte by byte: what follows the line is the tracer's. */
function readLine(): string {
  const bytes: number[] = [];
  const byte = Buffer.alloc(1);
  while (fs.readSync(socket, byte) === 1 && byte[0] !== newline) bytes.push(byte[0]!);
  return Buffer.from(bytes).toString();
}

const settings = readLine();
// Nothing came: the caller has ended.
if (settings !== '') native.trace(JSON.parse(settings) as TracerSettings, socket);
process.exit(0);
