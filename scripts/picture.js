/** Makes docs/demo.svg from a real run of `npm start`: the terminal as it was, a colour for each client. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const demo = spawn(process.execPath, [fileURLToPath(new URL('examples/echo/demo.js', root))], {
  env: { ...process.env, PORT: process.env.PORT ?? '7777' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
let output = '';
for await (const chunk of demo.stdout.setEncoding('utf8')) {
  output += chunk;
  if (output.includes('Ctrl-C')) demo.kill('SIGINT');
}

const lines = ['$ npm start', ...output.trimEnd().split('\n')];
const colours = ['#7ee787', '#79c0ff', '#ffa657'];
const firstColumn = 10;
const columnWidth = 30;
const [charWidth, lineHeight, margin] = [7.8, 19, 18];

const escaped = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Each word group stands at its own column, so that no font can push the columns apart. */
function drawn(line, row) {
  const isColumns = /^ *\d*(\.\d+ s)? {2}/.test(line) && line.startsWith(' ');
  const parts = isColumns ? [...line.matchAll(/\S+(?: \S+)*/g)] : [{ 0: line, index: 0 }];
  return parts
    .filter(part => part[0] !== '')
    .map(part => {
      const column = Math.floor((part.index - firstColumn) / columnWidth);
      const colour = isColumns && column >= 0 ? colours[column] : '#c9d1d9';
      const [x, y] = [margin + part.index * charWidth, margin + (row + 1) * lineHeight];
      return `<text x="${x.toFixed(1)}" y="${y}" fill="${colour}">${escaped(part[0])}</text>`;
    })
    .join('');
}

const width = Math.ceil(2 * margin + Math.max(...lines.map(line => line.trimEnd().length)) * charWidth);
const height = 2 * margin + (lines.length + 0.5) * lineHeight;
writeFileSync(
  new URL('docs/demo.svg', root),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>npm start: three clients, each served by a process of its own, at the same time</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" xml:space="preserve">
${lines.map(drawn).filter(Boolean).join('\n')}
</g>
</svg>
`,
);
console.log(`docs/demo.svg: ${lines.length} lines`);
