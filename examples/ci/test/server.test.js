// What the assignment asks for, tested from outside, with real clients.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ForkingServer } from 'truefork';

const server = new ForkingServer({ handler: fileURLToPath(new URL('../server.js', import.meta.url)) });
before(() => server.listen(0, '127.0.0.1'));
after(() => server.close());

const connect = () => net.connect(server.address().port, '127.0.0.1');

test('a client gets back what it sent', async () => {
  const client = connect();
  client.end('one line\n');
  const answer = await text(client);
  assert.match(answer, /^hello from process \d+\none line\n$/);
});

test('two clients at once are served by two processes', async () => {
  const clients = [connect(), connect()];
  const greetings = await Promise.all(clients.map(client => once(client, 'data').then(String)));
  assert.notEqual(greetings[0], greetings[1]);
  for (const client of clients) client.end();
});

test('every child has exited with 0', async () => {
  const exit = once(server, 'exit');
  connect().end();
  const [{ code, signal }] = await exit;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
});
