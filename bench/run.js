/** `npm run bench`: all servers side by side, alternating; README.md says how to read it. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { drawChart } from './chart.js';
import { build, complain, installed, measure, median, progress, start, stop } from './harness.js';
import { benchDirectory, choose, positive } from './servers.js';

/** @typedef {Awaited<ReturnType<typeof measure>>} Measured */
/** @typedef {{ name: string, options: string[], paced?: boolean, echoOnly?: boolean }} Scenario */
/** @typedef {NonNullable<ReturnType<typeof summarize>>} Row */

/** @type {Scenario[]} */
const scenarios = [
  { name: '16 clients, 64 B', options: ['--clients', '16'] },
  { name: 'one client every 5 ms, 64 B', options: ['--every', '5'], paced: true },
  { name: '64 clients, 64 B', options: ['--clients', '64'] },
  { name: '16 clients, 64 KiB', options: ['--clients', '16', '--bytes', '65536'], echoOnly: true },
  {
    name: 'one client every 5 ms, 64 KiB',
    options: ['--every', '5', '--bytes', '65536'],
    paced: true,
    echoOnly: true,
  },
  { name: '64 clients, 64 KiB', options: ['--clients', '64', '--bytes', '65536'], echoOnly: true },
];

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    seconds: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const rounds = positive('rounds', values.rounds ?? (values.quick ? '1' : '3'));
const seconds = positive('seconds', values.seconds ?? (values.quick ? '0.5' : '2'));
const chosen = values.quick ? scenarios.slice(0, 2) : scenarios;
// The figures that stand in the repository are of full runs alone.
const full = !values.quick && values.only === undefined;
const output = full
  ? {
      results: path.join(benchDirectory, 'results.json'),
      chart: path.join(benchDirectory, '../docs/bench.svg'),
    }
  : {
      results: path.join(benchDirectory, 'build/results.json'),
      chart: path.join(benchDirectory, 'build/bench.svg'),
    };

// A server that needs more CPU loses more of it to other programs: on a busy machine the ratios are wrong, too.
const load = os.loadavg()[0];
if (load > 0.5)
  console.error(`the machine is busy (load ${load.toFixed(1)}): take the figures as a hint only`);

build();
const running = await startAll();
try {
  const measured = await measureAll();
  const tables = chosen.map(scenario => ({
    name: scenario.name,
    paced: scenario.paced ?? false,
    rows: running.map(server => summarize(server, scenario, measured)).filter(row => row !== undefined),
  }));
  for (const { name, paced, rows } of tables) console.log(`\n### ${name}\n\n${format(rows, paced)}`);
  const machine = {
    cpu: os.cpus()[0].model,
    cores: os.cpus().length,
    kernel: os.release(),
    node: process.version,
    load,
  };
  const results = { date: new Date().toISOString(), machine, rounds, seconds, tables };
  fs.writeFileSync(output.results, `${JSON.stringify(results, null, 2)}\n`);
  fs.mkdirSync(path.dirname(output.chart), { recursive: true });
  fs.writeFileSync(output.chart, drawChart(tables[0].rows, tables[1].rows));
  console.error(`written: ${output.results}, ${output.chart}`);
} finally {
  for (const server of running) await stop(server).catch(complain);
}

async function startAll() {
  const list = [];
  for (const server of choose(values.only)) {
    if (!installed(server)) {
      console.error(`${server.name}: skipped, not installed`);
      continue;
    }
    progress(`starting ${server.name}`);
    const one = await start(server).catch(complain);
    if (!one) continue;
    await measure(one, ['--count', '100', '--seconds', '1']); // compiled and warm before it counts
    list.push(one);
  }
  return list;
}

/**
 * Every scenario of every server in each round, so that what slows the machine for a while hits all alike.
 * Each round begins with another server.
 */
async function measureAll() {
  /** @type {Map<string, Measured[]>} */
  const all = new Map();
  for (let round = 0; round < rounds; round++)
    for (const scenario of chosen) {
      const first = Math.round((round * running.length) / rounds);
      for (const one of [...running.slice(first), ...running.slice(0, first)]) {
        if (one.server.http && scenario.echoOnly) continue;
        progress(`round ${round + 1}/${rounds} · ${scenario.name} · ${one.server.label}`);
        const key = `${one.server.name} ${scenario.name}`;
        const result = await measure(one, [...scenario.options, '--seconds', String(seconds)]);
        all.set(key, [...(all.get(key) ?? []), result]);
      }
    }
  progress('');
  return all;
}

/** The medians of one server's rounds. The ratio is that of each round to C's in the same round. */
function summarize(
  /** @type {typeof running[number]} */ { server },
  /** @type {Scenario} */ { name, paced },
  /** @type {Map<string, Measured[]>} */ measured,
) {
  const results = measured.get(`${server.name} ${name}`);
  const reference = measured.get(`c ${name}`);
  if (!results || !reference) return undefined;
  const key = paced ? 'p50' : 'perSecond';
  /** @type {Record<string, number>} */
  const errors = {};
  for (const result of results)
    for (const [error, count] of Object.entries(result.errors)) errors[error] = (errors[error] ?? 0) + count;
  const total = (/** @type {'cpu' | 'connections'} */ of) =>
    results.reduce((sum, result) => sum + result[of], 0);
  return {
    name: server.name,
    label: server.label,
    ours: server.ours ?? false,
    perSecond: median(results.map(({ perSecond }) => perSecond)),
    ratio: median(results.map((result, round) => result[key] / reference[round][key])),
    p50: median(results.map(({ p50 }) => p50)),
    p99: median(results.map(({ p99 }) => p99)),
    cpuPerConnection: total('cpu') / total('connections'),
    errors,
  };
}

function format(/** @type {Row[]} */ rows, /** @type {boolean} */ paced) {
  const head = [
    '',
    'conn/s',
    paced ? 'p50 ÷ C’s' : '× C',
    'p50 µs',
    'p99 µs',
    'CPU µs per connection',
    'errors',
  ];
  const whole = (/** @type {number} */ value) => Math.round(value).toLocaleString('en');
  const body = rows.map(row => [
    row.label,
    whole(row.perSecond),
    row.ratio.toFixed(2),
    whole(row.p50),
    whole(row.p99),
    whole(row.cpuPerConnection),
    Object.entries(row.errors)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || '0',
  ]);
  return markdownTable([head, ...body], { align: ['l', 'r', 'r', 'r', 'r', 'r', 'l'] });
}
