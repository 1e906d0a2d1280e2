/**
 * A client of the schedule server.
 *
 *   node client.js --user ana week                     one command
 *   node client.js --user ana                          commands one after another, as they are typed
 *   SCHEDULE_PASSWORD=maple node client.js --user ana  without being asked for the password
 *
 * The commands are the server's: see `help`. `week` is drawn as a table.
 */
import readline from 'node:readline';
import { parseArgs, styleText } from 'node:util';
import { askPassword } from './ask-password.js';
import { Dialogue } from './dialogue.js';
import { formatWeekTable, parseEntry } from './week-table.js';

const usage = 'node client.js --user NAME [--host ADDRESS] [--port N] [COMMAND ...]';
/** Exit codes: the server refused; it could not be talked to, or the command line was wrong. */
const refused = 1;
const failed = 2;

const isColoured = process.stdout.isTTY && !process.env.NO_COLOR;

try {
  process.exitCode = await main();
} catch (error) {
  // A socket's failure to connect to each of several addresses has no message of its own.
  const { message, code } = /** @type {NodeJS.ErrnoException} */ (error);
  console.error(`client.js: ${message || code}`);
  process.exitCode = failed;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      user: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '7778' },
    },
  });
  if (values.user === undefined) throw new Error(`who are you? ${usage}`);
  const password = process.env.SCHEDULE_PASSWORD ?? (await passwordOf(values.user));
  const dialogue = await Dialogue.open({ host: values.host, port: Number(values.port) });
  try {
    const welcome = await dialogue.ask(`login ${values.user} ${password}`);
    if (welcome.status !== 'OK') return show(welcome);
    if (positionals.length > 0) return await perform(dialogue, positionals.join(' '));
    show(welcome);
    return await converse(dialogue);
  } finally {
    dialogue.close();
  }
}

/** @param {string} user */
function passwordOf(user) {
  if (!process.stdin.isTTY)
    throw new Error('there is no terminal to ask for a password: set SCHEDULE_PASSWORD');
  return askPassword(`Password of ${user}: `);
}

/** @param {Dialogue} dialogue */
async function converse(dialogue) {
  const terminal = readline.createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  if (process.stdin.isTTY) terminal.prompt();
  for await (const line of terminal) {
    if (line.trim() === 'quit') break;
    if (line.trim() !== '') await perform(dialogue, line);
    if (process.stdin.isTTY) terminal.prompt();
  }
  terminal.close();
  return 0;
}

/**
 * @param {Dialogue} dialogue
 * @param {string} command
 * @returns {Promise<number>} The exit code.
 */
async function perform(dialogue, command) {
  if (command.trim().toLowerCase() !== 'week') return show(await dialogue.ask(command));
  const reply = await dialogue.ask('list');
  const entries = reply.lines.map(parseEntry);
  if (entries.length === 0) return show(reply);
  console.log(formatWeekTable(entries, isColoured ? course => styleText('bold', course) : undefined));
  return 0;
}

/** @param {import('./dialogue.js').Reply} reply */
function show({ status, text, lines }) {
  const isDone = status === 'OK' || status === 'LIST' || status === 'BYE';
  if (isDone) console.log([status === 'LIST' ? `${text}:` : text, ...lines].join('\n'));
  else console.error(`${status}: ${text}`);
  return isDone ? 0 : refused;
}
