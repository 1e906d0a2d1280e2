import path from 'node:path';
import { expect, test } from 'vitest';
import { messages } from '../lib/wire/protocol.ts';
import { repository, script } from './harness/scripts.ts';
import { runScript } from './harness/subject.ts';

test('C++ and TypeScript agree on every message between server and zygote', async () => {
  const layouts = script(`
    import { native } from ${JSON.stringify(path.join(repository, 'dist/binding/native.js'))};
    console.log(JSON.stringify(native.protocolLayouts()));
  `);
  const result = await runScript(layouts);
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
  const inCpp = JSON.parse(result.stdout);
  const inTypeScript = Object.fromEntries(
    Object.entries(messages).map(([name, { kind, size, fields }]) => {
      const places = Object.entries(fields).map(([field, [, offset, length]]) => [field, [offset, length]]);
      return [name, { kind, size, fields: Object.fromEntries(places) }];
    }),
  );
  expect(inTypeScript).toEqual(inCpp);
});
