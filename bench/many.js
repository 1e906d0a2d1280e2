/** Many live connections at once, each its own process: do all answer, and what do idle ones cost the busy ones? */
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { build, hold, load, median, oneByOne, progress } from './harness.js';
import { choose, positive } from './servers.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'callbacks' },
    connections: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
  },
});
const connections = positive('connections', values.connections);
const rounds = positive('rounds', values.rounds);

build();
const table = await oneByOne(choose(values.only), async running => {
  const { label } = running.server;
  const rate = async () => (await load(running, ['--seconds', values.seconds])).perSecond;
  progress(`${label}: none idle`);
  const before = await rates(rate);
  progress(`${label}: opening ${connections}`);
  const held = await hold(running, connections);
  progress(`${label}: ${held.opened.connections} idle`);
  const during = await rates(rate);
  const { connections: answering, errors, p99 } = await held.ask();
  await held.release();
  progress(`${label}: none idle any more`);
  const after = await rates(rate);
  const none = (before + after) / 2; // what changed on the machine meanwhile counts half
  if (answering !== connections) process.exitCode = 1;
  const problems = JSON.stringify({ ...held.opened.errors, ...errors });
  const figures = [held.opened.connections, answering, p99, Math.round(none), Math.round(during)];
  return [label, ...figures, (during / none).toFixed(2), problems].map(String);
});
const idle = `${connections} idle`;
const head = ['', 'held', 'answered', 'p99 µs', 'conn/s, none idle', `conn/s, ${idle}`, 'ratio', 'errors'];
console.log(markdownTable([head, ...table], { align: ['l', 'r', 'r', 'r', 'r', 'r', 'r', 'l'] }));

async function rates(/** @type {() => Promise<number>} */ rate) {
  const found = [];
  for (let round = 0; round < rounds; round++) found.push(await rate());
  return median(found);
}
