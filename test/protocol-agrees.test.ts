/** The owner and its zygote speak one protocol, which is declared once, in lib/wire/messages.ts. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { layOut } from '../lib/wire/declare.ts';
import { commands, records } from '../lib/wire/messages.ts';
import { repository, script } from './harness/scripts.ts';
import { runScript } from './harness/subject.ts';

test('C++ and TypeScript agree on every message between owner and zygote', async () => {
  const layouts = script(`
    import { native } from ${JSON.stringify(path.join(repository, 'dist/binding/native.js'))};
    console.log(JSON.stringify(native.protocolLayouts()));
  `);
  const result = await runScript(layouts);
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
  const inCpp = JSON.parse(result.stdout);
  const inTypeScript = Object.fromEntries(
    Object.entries({ ...commands, ...records }).map(([name, { kind, body, fields }]) => {
      const layout = layOut(fields);
      const places = layout.fields.map(field => [field.name, [field.offset, field.size]]);
      return [name, { kind, size: body === 'struct' ? layout.size : 0, fields: Object.fromEntries(places) }];
    }),
  );
  expect(inTypeScript).toEqual(inCpp);
});

test('native/protocol/messages.h is made of the declaration as it is', () => {
  const made = spawnSync(process.execPath, ['scripts/protocol.js', '--print'], { encoding: 'utf8' });
  expect(fs.readFileSync('native/protocol/messages.h', 'utf8'), 'npm run protocol').toBe(made.stdout);
});

test.each(Object.entries({ commands, records }))('no two %s have one number', (_, messages) => {
  const kinds = Object.values(messages).map(({ kind }) => kind);
  expect(new Set(kinds).size).toBe(kinds.length);
});
