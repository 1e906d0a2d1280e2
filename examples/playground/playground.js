// Runs the JavaScript that a client sends, up to an empty line, and answers with its value.
const AsyncFunction = (async () => {}).constructor;

// Loaded here, before the children have no file to open any more.
const modules = {};
for (const name of ['child_process', 'dgram', 'dns', 'fs', 'net', 'os', 'worker_threads'])
  modules[name] = await import(`node:${name}`);

const inspect = value => (typeof value === 'string' ? value : JSON.stringify(value)) ?? 'undefined';

export default async function serve(connection) {
  let source = '';
  for await (const chunk of connection) {
    source += chunk;
    if (source.endsWith('\n\n')) return connection.end(`${await evaluate(source)}\n`);
  }
}

async function evaluate(source) {
  try {
    return inspect(await new AsyncFunction('modules', source)(modules));
  } catch (error) {
    return `${error?.code ?? error?.name ?? 'thrown'}: ${error?.message ?? error}`;
  }
}
