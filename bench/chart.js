/** The bar chart for the README: throughput and latency beside each other, as one SVG. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** @typedef {import('./run.js').Row} Row */
/** @typedef {{ label: string, ours: boolean, value: number, text: string }} Bar */

// GitHub shows the file on white and on near-black: colours that can be read on both, and no background.
const grey = '#7d8590';
const blue = '#2f81f7';
const size = { row: 24, head: 40, labels: 190, bars: 230, figures: 80 };

/** Throughput of the closed loop and latency of the paced client, of the same servers. */
export function drawChart(/** @type {Row[]} */ throughput, /** @type {Row[]} */ latency) {
  const { document } = parseHTML('<html></html>');
  const order = throughput.toSorted((a, b) => b.perSecond - a.perSecond).map(({ label }) => label);
  // One that is far slower than all others would leave them no room: its bar is cut short.
  const [longest, next = longest] = latency.map(({ p50 }) => p50).sort((a, b) => b - a);
  const limit = longest > 4 * next ? 1.1 * next : longest;

  const rates = throughput.map(({ label, ours, perSecond }) => {
    return { label, ours, value: perSecond, text: Math.round(perSecond).toLocaleString('en') };
  });
  const times = latency.map(({ label, ours, p50 }) => {
    const text = `${(p50 / 1000).toFixed(2)}${p50 > limit ? ' ⟶' : ''}`;
    return { label, ours, value: Math.min(p50, limit), text };
  });
  const left = drawPanel(document, order, size.labels, 'connections per second, 16 clients', rates);
  const right = drawPanel(document, order, 0, 'median latency in ms, one client', times);
  right.setAttribute('x', left.getAttribute('width') ?? '');

  const width = size.labels + 2 * (size.bars + size.figures);
  const height = size.head + order.length * size.row;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
${left.outerHTML}
${right.outerHTML}
</svg>
`;
}

/** `labels` is the room for the servers' names, 0 for none. */
function drawPanel(
  /** @type {Document} */ document,
  /** @type {string[]} */ order,
  /** @type {number} */ labels,
  /** @type {string} */ title,
  /** @type {Bar[]} */ bars,
) {
  const panel = Plot.plot({
    document,
    width: labels + size.bars + size.figures,
    height: size.head + order.length * size.row,
    marginTop: size.head,
    marginBottom: 0,
    marginLeft: labels,
    marginRight: size.figures,
    style: { background: 'none', color: grey, fontFamily: 'system-ui, sans-serif', fontSize: '12px' },
    x: { axis: null, domain: [0, Math.max(...bars.map(({ value }) => value))] },
    y: { axis: labels ? 'left' : null, label: null, tickSize: 0, domain: order, padding: 0.25 },
    marks: [
      Plot.text([title], { frameAnchor: 'top-left', dy: -26, fontWeight: 600 }),
      Plot.barX(bars, { x: 'value', y: 'label', fill: bar => (bar.ours ? blue : grey) }),
      Plot.text(bars, { x: 'value', y: 'label', text: 'text', textAnchor: 'start', dx: 6 }),
    ],
  });
  panel.querySelector('style')?.remove(); // rules for a page, which would change the size in an image
  return panel;
}
