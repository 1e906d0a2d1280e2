// Writes native/protocol/messages.h from lib/wire/messages.ts (built: dist/wire/messages.js), so that both ends of the
// channel between owner and zygote have one declaration. --print shows it instead.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { commands, endingLimits, policies, records, refusalReasons, sentBy } from '../dist/wire/messages.js';

const file = new URL('../native/protocol/messages.h', import.meta.url);

const cppTypes = { u16: 'uint16_t', i32: 'int32_t', u32: 'uint32_t', u64: 'uint64_t', text: 'char' };

const comment = says => (says === undefined ? '' : `  // ${says}`);

function enumeration(head, entries) {
  return `${head} {\n${entries.map(({ name, number, says }) => `${name} = ${number},${comment(says)}\n`).join('')}};\n`;
}

const structName = (name, suffix) => `${name}${suffix}`;

function bodyOf({ body }, name) {
  return { none: 'no body', json: 'JSON', text: 'text', struct: name }[body];
}

function kinds(suffix, messages) {
  const entries = Object.entries(messages).map(([name, message]) => {
    const says = [
      bodyOf(message, structName(name, suffix)),
      message.body === 'struct' ? undefined : message.says,
    ];
    return { name, number: message.kind, says: says.filter(Boolean).join(': ') };
  });
  return enumeration(`enum class ${suffix} : uint32_t`, entries);
}

function structs(suffix, messages) {
  return Object.entries(messages)
    .filter(([, { body }]) => body === 'struct')
    .map(([name, { fields, says }]) => {
      const lines = Object.entries(fields).map(
        ([field, { type, size, says }]) =>
          `${cppTypes[type]} ${field}${type === 'text' ? `[${size}]` : ''};${comment(says)}\n`,
      );
      return `// ${capitalized(says)}.\nstruct ${structName(name, suffix)} {\n${lines.join('')}};\n`;
    })
    .join('\n');
}

function layouts(suffix, messages) {
  return Object.entries(messages).map(([name, { body, fields }]) => {
    const type = structName(name, suffix);
    const kind = `static_cast<uint32_t>(${suffix}::${name})`;
    if (body !== 'struct') return `{"${name}", ${kind}, 0, {}},`;
    const listed = Object.keys(fields).map(field => `TRUEFORK_FIELD(${type}, ${field})`);
    return `{"${name}", ${kind}, sizeof(${type}), {${listed.join(', ')}}},`;
  });
}

function capitalized(text) {
  return text[0].toUpperCase() + text.slice(1);
}

const numbered = list => list.map(({ inCpp, says }, number) => ({ name: inCpp, number, says }));
const mostFields = Math.max(
  ...Object.values({ ...commands, ...records }).map(({ fields }) => Object.keys(fields).length),
);

const text = `// What the owner and its zygote send each other, over one stream socket. Made by \`npm run protocol\` from
// lib/wire/messages.ts, where a change begins; a test holds the two together.
//
// Each message is a Header and then \`length\` bytes: one of the structs below, in the machine's own byte
// order, for both ends are on one machine; or, where no struct is named, text in UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>

namespace truefork::protocol {

struct Header {
  uint32_t length;
  uint32_t kind;
};

// Owner to zygote.
${kinds('Command', commands)}
${structs('Command', commands)}
// Why a client is refused.
${enumeration('enum class Reason : uint32_t', numbered(refusalReasons))}constexpr uint32_t kReasons = ${refusalReasons.length};

// What becomes of a client that is kept out.
${enumeration('enum class Policy : uint32_t', numbered(policies))}
// The bits of ResourcesCommand.set.
${enumeration(
  'enum Resource : uint32_t',
  sentBy('Resources').map(({ field }, place) => ({ name: field.bit, number: 1 << place })),
)}
// The limit that ended a child.
${enumeration('enum class Limit : uint32_t', numbered(endingLimits))}
// Zygote to owner.
${kinds('Record', records)}
${structs('Record', records)}
// The layout of every message, for the test that compares it with what TypeScript computes.
struct Field {
  const char* name;
  size_t offset;
  size_t size;
};

struct Layout {
  const char* name;
  uint32_t kind;
  size_t size;
  Field fields[${mostFields + 1}];  // the last has no name
};

#define TRUEFORK_FIELD(type, field) {#field, offsetof(type, field), sizeof(type::field)}

constexpr Layout kLayouts[] = {
${[...layouts('Command', commands), ...layouts('Record', records)].join('\n')}
};

#undef TRUEFORK_FIELD

}  // namespace truefork::protocol
`;

const clangFormat = createRequire(import.meta.url).resolve('clang-format/index.js');
const { stdout, status } = spawnSync(process.execPath, [clangFormat, `--assume-filename=${file.pathname}`], {
  input: text,
  encoding: 'utf8',
  stdio: ['pipe', 'pipe', 'inherit'],
});
if (status !== 0) throw new Error('clang-format failed');
if (process.argv[2] === '--print') process.stdout.write(stdout);
else fs.writeFileSync(file, stdout);
