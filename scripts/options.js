// Writes docs/options.md: every option of the servers and of `truefork serve`, from the table that they come from.
import fs from 'node:fs';
import { markdownTable } from 'markdown-table';
import { flagName } from '../dist/cli/options.js';
import { defaultText, takers } from '../dist/cli/options-help.js';
import { topics } from '../dist/options/option.js';
import { lookUp, optionNames } from '../dist/options/table.js';

const head = ['option', 'on the command line', 'default', 'for', 'what it is'];

function row(name) {
  const option = lookUp(name);
  const { takenBy, kind, short, help } = option;
  const value = kind.placeholder === undefined ? '' : ` ${kind.placeholder}`;
  const flag = `\`${short ? `-${short}, ` : ''}--${flagName(name)}${value}\``.replaceAll('|', '\\|');
  const whom = takenBy.includes('listen')
    ? ['`listen()`']
    : takenBy.includes('command')
      ? ['the command']
      : takers(option);
  const inApi = option.commandDefault === undefined ? '' : `; in a program ${kind.show(option.default)}`;
  return [`\`${name}\``, flag, (defaultText(option) ?? '') + inApi, whom.join(', '), help];
}

const sections = topics.map(topic => {
  const names = optionNames().filter(name => lookUp(name).topic === topic);
  return `## ${topic}\n\n${markdownTable([head, ...names.map(row)], { alignDelimiters: false })}\n`;
});

const text = `# Options

Each has one name in the API (\`new ForkingServer({ maxChildren: 50 })\`, \`listen({ port: 7777 })\`), in a config file,
and on the command line (\`--max-children 50\`). Times are milliseconds in a program, and everywhere a text with its unit:
\`'500ms'\`, \`'5s'\`, \`'2m'\`, \`'1h'\`. Where no server is named, all three take the option. Unknown options are errors.

A config file is \`truefork.config.js\`, \`.ts\` or \`.json\` in the working directory, or the file that \`--config\` names.
A path in it is relative to it; the command line wins over it.

\`\`\`js
import { defineConfig } from 'truefork';

export default defineConfig({ handler: './echo.js', port: 7777, maxChildren: 50, gracePeriod: '30s' });
\`\`\`

This file is made by \`npm run docs:options\` from \`lib/options/table\`.

${sections.join('\n')}`;

const file = new URL('../docs/options.md', import.meta.url);
if (process.argv[2] === '--print') process.stdout.write(text);
else fs.writeFileSync(file, text);
