/** SVG as strings: escaped text, rounded numbers, and the colours of a trace. */

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

type Attributes = Record<string, string | number | undefined>;

export function element(name: string, attributes: Attributes, content?: string): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : escaped(String(value))}"`)
    .join('');
  return content === undefined ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

export function round(value: number): string {
  return String(Number(value.toFixed(1)));
}

/** A shape that says what it is when the pointer rests on it. */
export function titled(name: string, attributes: Attributes, title: string): string {
  return element(name, attributes, element('title', {}, escaped(title)));
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escaped(content));
}

/** Wide enough for the widest of the usual fonts. */
export function textWidth(content: string, size: number, bold = false): number {
  return content.length * size * (bold ? 0.64 : 0.57);
}

export const colours = {
  ink: '#222222',
  grey: '#6b6b6b',
  grid: '#e4e4e4',
  neutral: '#3a3a3a',
  neutralPale: '#e3e3e3',
  stopped: '#777777',
  signal: '#d55e00',
  zombie: '#b2182b',
  waited: '#1a7f37',
};

/** Okabe and Ito's, without its vermilion and yellow: the first means a signal here, the second is too pale on paper. */
const clientColours = [
  '#0072b2',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#7a5195',
  '#8c6d31',
  '#5f7f1f',
];

export function clientColour(client: number | undefined): string {
  return client === undefined ? colours.neutral : clientColours[(client - 1) % clientColours.length]!;
}

/** The same, four fifths of it white. */
export function pale(colour: string): string {
  if (colour === colours.neutral) return colours.neutralPale;
  const mixed = [1, 3, 5].map(at => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16);
    return Math.round(value + (255 - value) * 0.8)
      .toString(16)
      .padStart(2, '0');
  });
  return `#${mixed.join('')}`;
}
