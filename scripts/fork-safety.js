/**
 * What the matrix and the stress have found, line by line of Node: kept in docs/fork-safety.json, and shown as tables in
 * docs/fork-safety.md, between `<!-- matrix -->` and `<!-- /matrix -->`, and the same for the stress.
 */
import fs from 'node:fs';
import { markdownTable } from 'markdown-table';

const results = new URL('../docs/fork-safety.json', import.meta.url);
const page = new URL('../docs/fork-safety.md', import.meta.url);

/**
 * Adds results of one line of Node, in the place of earlier ones, and draws the table anew.
 *
 * @template Result
 * @param {'matrix' | 'stress'} name
 * @param {number} line such as 22
 * @param {Result} result
 * @param {(byLine: Map<string, Result>) => string[][]} draw the rows of the table, the first of them its head
 */
export function record(name, line, result, draw) {
  const all = fs.existsSync(results) ? JSON.parse(fs.readFileSync(results, 'utf8')) : {};
  all[name] = { ...all[name], [line]: result };
  fs.writeFileSync(results, `${JSON.stringify(all, null, 2)}\n`);
  const rows = draw(new Map(Object.entries(all[name])));
  const table = markdownTable(rows, { align: ['l', ...rows[0].slice(1).map(() => 'r')], padding: false });
  const text = fs.readFileSync(page, 'utf8');
  const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(\n<!-- /${name} -->)`);
  if (!place.test(text)) throw new Error(`docs/fork-safety.md has no place for the ${name}`);
  fs.writeFileSync(
    page,
    text.replace(place, (_, before, after) => `${before}\n${table}\n${after}`),
  );
}
