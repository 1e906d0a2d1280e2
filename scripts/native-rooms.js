// Which room of native/ may include which: each only those below it, and Node-API is in binding/ alone. `npm run lint`
// holds it, as .dependency-cruiser.mjs does for lib/.
import fs from 'node:fs';
import path from 'node:path';

/** From the top to the bottom. Each line: a room, and the rooms that it may include. */
const rooms = {
  binding: [
    ...['server', 'select', 'child', 'isolation', 'fork', 'rollback', 'protocol', 'speed', 'trace', 'posix'],
    'support',
  ],
  server: ['child', 'isolation', 'fork', 'rollback', 'protocol', 'speed', 'support'],
  select: ['server', 'child', 'protocol', 'support'],
  rollback: ['fork', 'speed', 'support'],
  child: ['fork', 'rollback', 'protocol', 'support'],
  protocol: ['speed', 'support'],
  speed: ['fork', 'support'],
  fork: ['support'],
  isolation: ['support'],
  trace: ['support'],
  posix: ['support'],
  support: [],
};

const nodeHeaders = /^(napi\.h|node_api\.h|js_native_api\.h|node\.h|v8.*\.h)$/;

const problems = [];
const includes = new Map();
for (const file of fs.readdirSync('native', { recursive: true, encoding: 'utf8' })) {
  const [room] = file.split(path.sep);
  if (!/\.(cc|h)$/.test(file) || ['test', 'build', 'addon.cc'].includes(room)) continue;
  if (rooms[room] === undefined)
    problems.push(`native/${file}: ${room} is no room of scripts/native-rooms.js`);
  const text = fs.readFileSync(path.join('native', file), 'utf8');
  for (const [, , name] of text.matchAll(/^#include ([<"])([^>"]+)[>"]/gm)) {
    const to = name.split('/')[0];
    if (rooms[to] !== undefined) {
      includes.set(file, [...(includes.get(file) ?? []), name]);
      if (to !== room && !rooms[room]?.includes(to))
        problems.push(`native/${file} includes ${name}: ${room} may not include ${to}`);
    } else if (nodeHeaders.test(name) && room !== 'binding') {
      problems.push(`native/${file} includes ${name}: Node-API belongs into native/binding`);
    }
  }
}
for (const file of includes.keys()) findCircle(file, []);

function findCircle(file, way) {
  if (way.includes(file)) {
    const circle = [...way.slice(way.indexOf(file)), file].join(' → ');
    if (!problems.some(text => text.endsWith(circle))) problems.push(`includes in a circle: ${circle}`);
    return;
  }
  for (const next of includes.get(file) ?? []) findCircle(next, [...way, file]);
}

for (const text of problems) console.error(text);
if (problems.length > 0) process.exitCode = 1;
