/**
 * The servers that are measured, one line each.
 *
 * @typedef {object} Server
 * @property {string} name for --only
 * @property {string} label for tables and the chart
 * @property {(port: number) => string[]} command
 * @property {string[]} [check] a command that must exit with 0, or the server is skipped as not installed
 * @property {boolean} [ours]
 * @property {boolean} [http] answers `GET /` instead of an echo
 */
import path from 'node:path';

export const benchDirectory = import.meta.dirname;
const cli = path.join(benchDirectory, '../dist/cli/main.js');
const inBench = (/** @type {string} */ file) => path.join(benchDirectory, file);

/** @returns {Server} */
function peer(
  /** @type {string} */ name,
  /** @type {string} */ label,
  /** @type {string[]} */ command,
  /** @type {string[]} */ check = [],
) {
  return { name, label, command: port => [...command, String(port)], check };
}

/** @returns {Server} */
function ours(
  /** @type {string} */ name,
  /** @type {string} */ label,
  /** @type {string} */ handler,
  /** @type {string[]} */ options = [],
  http = false,
) {
  const script = inBench(`handlers/${handler}.js`);
  const always = ['--max-children', '20000']; // the peers have no limit, or get the same
  return {
    name,
    label: `truefork, ${label}`,
    command: port => [process.execPath, cli, 'serve', script, '--port', String(port), ...always, ...options],
    ours: true,
    http,
  };
}

/** @type {Server[]} */
export const servers = [
  peer('c', 'C, the lecture’s server', [inBench('build/echo-fork')]),
  peer('socat', 'socat', ['sh', inBench('peers/socat.sh')], ['socat', '-V']),
  peer('php', 'PHP pcntl', ['php', inBench('peers/fork.php')], ['php', '-r', 'pcntl_async_signals();']),
  peer('perl', 'Perl', ['perl', inBench('peers/fork.pl')], ['perl', '-v']),
  peer('ruby', 'Ruby', ['ruby', inBench('peers/fork.rb')], ['ruby', '-v']),
  peer(
    'python',
    'Python ForkingTCPServer',
    ['python3', inBench('peers/forking_tcp_server.py')],
    ['python3', '-V'],
  ),
  peer(
    'net-server',
    'Perl Net::Server::Fork',
    ['perl', inBench('peers/net-server-fork.pl')],
    ['perl', '-MNet::Server', '-e1'],
  ),
  peer('child-process', 'Node child_process.fork', [
    process.execPath,
    inBench('peers/child-process-fork.js'),
  ]),
  peer('tcpserver', 'tcpserver cat', ['sh', inBench('peers/tcpserver.sh')], ['which', 'tcpserver']),
  ours('callbacks', 'callbacks', 'callbacks'),
  ours('stream', 'stream', 'stream'),
  ours('http', 'http', 'http', [], true),
  {
    name: 'exec',
    label: 'truefork --exec cat',
    command: port => [
      ...[process.execPath, cli, 'serve', '--exec', 'cat', '--port', String(port)],
      ...['--max-children', '20000'],
    ],
    ours: true,
  },
  ours('callbacks-spare', 'callbacks, 8 spares', 'callbacks', ['--spare', '8']),
  ours('stream-spare', 'stream, 8 spares', 'stream', ['--spare', '8']),
  ours('http-spare', 'http, 8 spares', 'http', ['--spare', '8'], true),
  ours('callbacks-100', 'callbacks, 100 connections a child', 'callbacks', [
    '--connections-per-child',
    '100',
  ]),
];

/** The servers of a comma-separated list, always with the C reference that the ratios need. */
export function choose(/** @type {string | undefined} */ only) {
  if (only === undefined) return servers;
  const names = only.split(',');
  const unknown = names.find(name => !servers.some(server => server.name === name));
  if (unknown) misuse(`no server "${unknown}"; there are ${servers.map(({ name }) => name).join(', ')}`);
  return servers.filter(({ name }) => name === 'c' || names.includes(name));
}

/** The value of a numeric option of these programs. */
export function positive(/** @type {string} */ option, /** @type {string} */ text) {
  const value = Number(text);
  return value > 0 ? value : misuse(`--${option} takes a number above 0, not "${text}"`);
}

/** @returns {never} */
function misuse(/** @type {string} */ message) {
  console.error(message);
  process.exit(2);
}
