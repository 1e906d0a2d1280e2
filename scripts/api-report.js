// Writes the public interface of each entry point into docs/api-report, as the types of its exports, expanded: a change
// of it shows in a diff. A test holds the files up to date. --check says what differs, and writes nothing.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const { exports } = JSON.parse(fs.readFileSync('package.json', 'utf8'));
const entries = Object.entries(exports).filter(([, { types }]) => types !== undefined);
const files = entries.map(([, { types }]) => path.resolve(types));
const program = ts.createProgram(files, {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  strict: true,
  exactOptionalPropertyTypes: true,
  types: ['node'],
});
const checker = program.getTypeChecker();
const own = path.resolve('dist');

const format =
  ts.TypeFormatFlags.NoTruncation |
  ts.TypeFormatFlags.UseSingleQuotesForStringLiteralType |
  ts.TypeFormatFlags.WriteArrowStyleSignature;

const isInternal = symbol => symbol.getJsDocTags().some(({ name }) => name === 'internal');
const isOwn = symbol =>
  symbol.declarations?.some(one => one.getSourceFile().fileName.startsWith(own)) ?? true;
const isHidden = symbol =>
  symbol.declarations?.some(
    one =>
      ts.getCombinedModifierFlags(one) & ts.ModifierFlags.Private ||
      (one.name !== undefined && ts.isPrivateIdentifier(one.name)),
  ) ?? false;

/** Properties and methods, one a line; overloads each on their own. */
function members(type, at) {
  return checker
    .getPropertiesOfType(type)
    .filter(symbol => isOwn(symbol) && !isHidden(symbol) && !isInternal(symbol))
    .flatMap(symbol => {
      const of = checker.getTypeOfSymbolAtLocation(symbol, at);
      const calls = symbol.flags & ts.SymbolFlags.Method ? of.getCallSignatures() : [];
      const optional = symbol.flags & ts.SymbolFlags.Optional ? '?' : '';
      if (calls.length > 0) return calls.map(call => `${symbol.name}${optional}${signature(call, at)};`);
      return [`${modifiers(symbol)}${symbol.name}${optional}: ${checker.typeToString(of, at, format)};`];
    })
    .sort();
}

function modifiers(symbol) {
  const flags = symbol.valueDeclaration && ts.getCombinedModifierFlags(symbol.valueDeclaration);
  const isReadonly =
    flags & ts.ModifierFlags.Readonly ||
    (symbol.flags & ts.SymbolFlags.GetAccessor && !(symbol.flags & ts.SymbolFlags.SetAccessor));
  return `${flags & ts.ModifierFlags.Protected ? 'protected ' : ''}${isReadonly ? 'readonly ' : ''}`;
}

function signature(call, at) {
  return checker.signatureToString(call, at, format & ~ts.TypeFormatFlags.WriteArrowStyleSignature);
}

/** `import("./a.js").Name` as Name, and `import("net").Socket` as net.Socket. */
function plain(text) {
  return text
    .replaceAll(/import\("\.[^"]*"\)\./g, '')
    .replaceAll('import("events")', 'EventEmitter')
    .replaceAll(/import\("([^"]*)"\)/g, '$1');
}

const body = lines => (lines.length === 0 ? '{}' : `{\n${lines.map(line => `  ${line}\n`).join('')}}`);

function describe(name, symbol, at) {
  if (symbol.flags & ts.SymbolFlags.Class) return describeClass(name, symbol, at);
  if (symbol.flags & ts.SymbolFlags.Interface) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const calls = type.getCallSignatures().map(call => `${signature(call, at)};`);
    const bases = (checker.getBaseTypes(type) ?? []).filter(
      ({ symbol }) => symbol && !isOwn(symbol) && symbol.name !== '__type',
    );
    const extended =
      bases.length === 0
        ? ''
        : ` extends ${bases.map(base => checker.typeToString(base, at, format)).join(', ')}`;
    return `interface ${name}${extended} ${body([...calls, ...members(type, at)])}`;
  }
  if (symbol.flags & ts.SymbolFlags.TypeAlias) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const isObject = type.flags & ts.TypeFlags.Object && type.getCallSignatures().length === 0;
    const own = isObject ? members(type, at) : [];
    const text = checker.typeToString(type, at, format | ts.TypeFormatFlags.InTypeAlias);
    const declared = symbol.declarations[0].type.getText();
    return `type ${name} = ${own.length > 0 ? body(own) : isObject ? declared : text}`;
  }
  const type = checker.getTypeOfSymbolAtLocation(symbol, at);
  if (symbol.flags & ts.SymbolFlags.Function)
    return type
      .getCallSignatures()
      .map(call => `function ${name}${signature(call, at)}`)
      .join('\n');
  return `const ${name}: ${checker.typeToString(type, at, format)}`;
}

function describeClass(name, symbol, at) {
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const [base] = checker.getBaseTypes(type);
  const isAbstract = ts.getCombinedModifierFlags(symbol.valueDeclaration) & ts.ModifierFlags.Abstract;
  const constructors = checker
    .getTypeOfSymbolAtLocation(symbol, at)
    .getConstructSignatures()
    .map(call => `constructor${signature(call, at)};`);
  const head = `${isAbstract ? 'abstract ' : ''}class ${name}`;
  const extended = base === undefined ? '' : ` extends ${checker.typeToString(base, at, format)}`;
  const inherited = new Set(base === undefined ? [] : members(base, at));
  return `${head}${extended} ${body([...constructors, ...members(type, at).filter(line => !inherited.has(line))])}`;
}

let isDifferent = false;
for (const [entry, { types }] of entries) {
  const source = program.getSourceFile(path.resolve(types));
  const module = checker.getSymbolAtLocation(source);
  const exported = module === undefined ? [] : checker.getExportsOfModule(module);
  const described = exported
    .map(symbol => [
      symbol.name,
      symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, symbol]) => describe(name, symbol, source));
  const title = path.posix.join('truefork', entry);
  const head = `// The public interface of ${title}, by npm run api-report. A change here is a change for its users.\n`;
  const nothing = '// It exports nothing: it works by being imported.';
  const text = plain(`${head}\n${described.length === 0 ? nothing : described.join('\n\n')}\n`);
  const file = `docs/api-report/${title.replaceAll('/', '-')}.txt`;
  if (process.argv[2] !== '--check') {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  } else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
    isDifferent = true;
    console.error(`${file} is not what the types say: npm run api-report, and look at the difference`);
  }
}
if (isDifferent) process.exitCode = 1;
