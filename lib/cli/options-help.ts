/** What `truefork serve --help` says of each option. */
import { type Option, serverKinds, topics } from '../options/option.js';
import { lookUp, optionNames } from '../options/table.js';
import { flagName, ownFlags } from './options.js';

const lineWidth = 110;
const indent = 32;

/** The options under their headings: flag, what it does, and its default. */
export function describeOptions(): string {
  const sections = topics.map(topic => {
    const names = optionNames().filter(name => lookUp(name)!.topic === topic);
    return section(
      topic,
      names.map(name => {
        const option = lookUp(name)!;
        const flag = `${flagName(name)}${shownValue(option)}`;
        return entry(flag, option.short, `${shownModes(option)}${option.help}${shownDefault(option)}`);
      }),
    );
  });
  const { config, help } = ownFlags;
  const own = [entry('config <file>', undefined, config.help), entry('help', help.short, help.help)];
  return [...sections, section('This command', own)].join('\n');
}

/** What holds without the option, as one would type it; nothing where that says itself. */
export function defaultText(option: Option): string | undefined {
  const value = option.commandDefault ?? option.default;
  if (option.defaultText !== undefined) return option.defaultText;
  return value === undefined || value === false ? undefined : option.kind.show(value);
}

function shownValue({ kind: { placeholder } }: Option): string {
  if (placeholder === undefined) return '';
  return placeholder.includes('|') ? ` ${placeholder}` : ` <${placeholder}>`;
}

/** Which servers it is for, where it is not for all. */
export function takers(option: Option): string[] {
  const few = serverKinds.some(kind => !option.takenBy.includes(kind));
  return few ? serverKinds.filter(kind => option.takenBy.includes(kind)) : [];
}

function shownModes(option: Option): string {
  const modes = takers(option);
  return modes.length === 0 ? '' : `mode ${modes.join(' or ')}: `;
}

function shownDefault(option: Option): string {
  const shown = defaultText(option);
  return shown === undefined ? '' : ` (${shown})`;
}

function section(heading: string, entries: string[]): string {
  return `${heading}\n${entries.join('')}`;
}

function entry(flag: string, short: string | undefined, says: string): string {
  const left = `  ${short === undefined ? '    ' : `-${short}, `}--${flag}  `.padEnd(indent);
  const start = left.length > indent ? `${left.trimEnd()}\n${' '.repeat(indent)}` : left;
  return `${start}${wrap(says, lineWidth - indent).join(`\n${' '.repeat(indent)}`)}\n`;
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
