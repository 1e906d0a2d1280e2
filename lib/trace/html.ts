/** A page with the picture at several widths, to zoom into time, and what was said in words. One file, no network. */
import type { Model } from './model.js';
import { drawSvg, type PictureOptions } from './svg.js';
import { escaped } from './svg-parts.js';

/** Each zoom is a picture of its own: letters stay as large as they are, and labels appear where there is room for them. */
const zooms = [1, 2, 4, 8, 16];
const firstWidth = 1100;

export function toHtml(model: Model, lines: readonly string[], options: PictureOptions): string {
  const title = options.title ?? 'Trace';
  const pictures = zooms.map((zoom, i) => {
    const svg = drawSvg(model, { ...options, width: firstWidth * zoom });
    // Patterns are found by their name in the whole page.
    return `<div class="zoom" data-zoom="${i}"${i === 0 ? '' : ' hidden'}>${svg.replaceAll(/(id="|url\(#)(waits|zombie)/g, `$1z${i}-$2`)}</div>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${style}</style>
<nav><button id="out" title="less detail">−</button><button id="in" title="more detail">+</button><span id="how"></span></nav>
<main id="view" tabindex="0">
${pictures.join('\n')}
</main>
<div id="tip" hidden></div>
<details${lines.length > 0 ? ' open' : ' hidden'}><summary>In words: ${lines.length} lines</summary>
<pre>${lines.map(line => `<span>${escaped(line)}</span>`).join('\n')}</pre></details>
<script>${script}</script>
</html>
`;
}

const style = `
body{margin:0;font:14px/1.4 system-ui,sans-serif;color:#222;background:#fff}
nav{position:fixed;right:14px;top:10px;display:flex;gap:6px;align-items:center;z-index:2}
nav button{width:30px;height:30px;border:1px solid #bbb;border-radius:6px;background:#fff;font-size:18px;cursor:pointer}
nav span{color:#6b6b6b;font-size:12px}
main{overflow-x:auto;outline:none;cursor:grab}
main svg{display:block}
main [data-tip]:hover{filter:brightness(1.12) drop-shadow(0 0 1.5px #000)}
.backdrop{fill:#fff;fill-opacity:.92}
#tip{position:fixed;pointer-events:none;background:#222;color:#fff;padding:4px 9px;border-radius:5px;font-size:13px;max-width:40em;z-index:3}
details{margin:8px 18px 30px}
summary{cursor:pointer;color:#555}
pre{font:12.5px/1.5 ui-monospace,Menlo,Consolas,monospace;overflow-x:auto}
pre span:hover{background:#fff3d6}
@media print{nav,details{display:none}main{overflow:visible}}
`;

/** The names of the lanes stay in view; the wheel with Ctrl, the buttons and + and - zoom about the pointer; dragging moves. */
const script = `
'use strict';
const view = document.getElementById('view');
const tip = document.getElementById('tip');
const levels = Array.from(view.querySelectorAll('.zoom'));
let level = 0;
for (const title of view.querySelectorAll('svg title')) {
  if (title.parentNode.tagName !== 'svg') title.parentNode.dataset.tip = title.textContent;
  title.remove();
}
for (const labels of view.querySelectorAll('.labels')) {
  const box = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  for (const [key, value] of Object.entries({ x: 0, y: 70, width: 158, height: labels.closest('svg').height.baseVal.value - 70 }))
    box.setAttribute(key, value);
  box.setAttribute('class', 'backdrop');
  labels.prepend(box);
}
function placeLabels() {
  const labels = levels[level].querySelector('.labels');
  labels.setAttribute('transform', 'translate(' + view.scrollLeft + ' 0)');
}
function zoom(to, clientX) {
  to = Math.max(0, Math.min(levels.length - 1, to));
  const x = clientX - view.getBoundingClientRect().left;
  const factor = 2 ** (to - level);
  const at = (view.scrollLeft + x) * factor - x;
  levels[level].hidden = true;
  levels[level = to].hidden = false;
  view.scrollLeft = at;
  placeLabels();
  document.getElementById('how').textContent = level === 0 ? '' : 2 ** level + '\\u00d7';
}
const middle = () => view.getBoundingClientRect().left + view.clientWidth / 2;
document.getElementById('in').onclick = () => zoom(level + 1, middle());
document.getElementById('out').onclick = () => zoom(level - 1, middle());
view.addEventListener('scroll', placeLabels);
view.addEventListener('wheel', event => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  zoom(level + (event.deltaY < 0 ? 1 : -1), event.clientX);
}, { passive: false });
addEventListener('keydown', event => {
  if (event.key === '+' || event.key === '=') zoom(level + 1, middle());
  if (event.key === '-') zoom(level - 1, middle());
});
let dragged;
view.addEventListener('pointerdown', event => { dragged = event.clientX; });
addEventListener('pointerup', () => { dragged = undefined; });
view.addEventListener('pointermove', event => {
  if (dragged !== undefined) {
    view.scrollLeft += dragged - event.clientX;
    dragged = event.clientX;
  }
  const shape = event.target.closest('[data-tip]');
  tip.hidden = !shape;
  if (!shape) return;
  tip.textContent = shape.dataset.tip;
  tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + 'px';
  tip.style.top = event.clientY + 16 + 'px';
});
view.addEventListener('pointerleave', () => { tip.hidden = true; });
`;
