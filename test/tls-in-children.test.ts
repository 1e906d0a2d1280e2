/** TLS, with the handshake in the child: what the zygote has made, keys of tickets among them, all children share. */
import { once } from 'node:events';
import fs from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import tls from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Certificate, makeCertificate, readBy } from './harness/certificates.ts';
import { Client } from './harness/client.ts';
import { get } from './harness/http.ts';
import { isAlive } from './harness/proc.ts';
import { scriptFolder } from './harness/scripts.ts';
import { type Served, serve } from './harness/served.ts';

let authority: Certificate;
let own: Certificate;
let ca: Buffer;

beforeAll(() => {
  authority = makeCertificate('authority.test');
  own = makeCertificate('server.test', authority);
  ca = fs.readFileSync(authority.cert);
});

/** A tls server that says who it is, which protocol was agreed on, and whether the session was known. */
const teller = (options: string) => `
  import fs from 'node:fs';
  import tls from 'node:tls';
  export default tls.createServer({ ${readBy(own)}, ${options} }, socket => {
    const client = socket.getPeerCertificate()?.subject?.CN;
    socket.end(JSON.stringify({
      pid: process.pid, client, alpn: socket.alpnProtocol, reused: socket.isSessionReused(), name: socket.servername,
    }));
  });
`;

interface Told {
  pid: number;
  client?: string;
  alpn: string | false;
  reused: boolean;
  name: string | false;
}

async function connect(
  server: Served,
  options: tls.ConnectionOptions = {},
): Promise<{ told: Told; session: Buffer }> {
  const socket = tls.connect({ port: server.port, host: '127.0.0.1', ca, ...options });
  let session: Buffer | undefined;
  socket.on('session', given => {
    session = given;
  });
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += chunk;
  return { told: JSON.parse(text), session: session! };
}

test('an https server answers, with the handshake in the child', async () => {
  const server = await serve(`
    import fs from 'node:fs';
    import https from 'node:https';
    export default https.createServer({ ${readBy(own)} }, (req, res) => {
      res.end('over ' + req.socket.getProtocol() + ' by ' + process.pid);
    });
  `);
  const url = `https://127.0.0.1:${server.port}/`;
  const answers = [await get(url, { ca, agent: false }), await get(url, { ca, agent: false })];
  for (const [n, { body }] of answers.entries())
    expect(body).toBe(`over TLSv1.3 by ${(await server.connectionOf(n + 1)).pid}`);
  await server.stop();
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'by %s, a session is taken up again by a sibling',
  async version => {
    const server = await serve(teller(`maxVersion: '${version}'`));
    const first = await connect(server);
    const second = await connect(server, { session: first.session });
    const stranger = await connect(server);
    expect([first, second, stranger].map(({ told }) => told.reused)).toEqual([false, true, false]);
    expect(second.told.pid).not.toBe(first.told.pid);
    expect(second.told.pid).toBe((await server.connectionOf(2)).pid);
    await server.stop();
  },
);

test('SNI chooses the certificate', async () => {
  const [a, b] = [makeCertificate('a.test', authority), makeCertificate('b.test', authority)];
  const server = await serve(`
    import fs from 'node:fs';
    import tls from 'node:tls';
    const server = tls.createServer({ ${readBy(own)} }, socket => socket.end(String(socket.servername)));
    server.addContext('a.test', { ${readBy(a)} });
    server.addContext('b.test', { ${readBy(b)} });
    export default server;
  `);
  for (const servername of ['a.test', 'b.test', 'server.test']) {
    const socket = tls.connect({ port: server.port, host: '127.0.0.1', ca, servername });
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().subject.CN).toBe(servername);
    expect(String((await once(socket, 'data'))[0])).toBe(servername);
    socket.destroy();
  }
  await server.stop();
});

test('a reload brings a new certificate', async () => {
  const folder = fs.mkdtempSync(path.join(scriptFolder, 'renewed-'));
  const used = { key: path.join(folder, 'key.pem'), cert: path.join(folder, 'cert.pem') };
  const install = (certificate: Certificate) => {
    fs.copyFileSync(certificate.key, used.key);
    fs.copyFileSync(certificate.cert, used.cert);
  };
  const nameShown = async () => {
    const socket = tls.connect({
      port: server.port,
      host: '127.0.0.1',
      ca,
      checkServerIdentity: () => undefined,
    });
    await once(socket, 'secureConnect');
    const name = socket.getPeerCertificate().subject.CN;
    socket.resume().end();
    await once(socket, 'close');
    return name;
  };
  install(own);
  const server = await serve(`
    import fs from 'node:fs';
    import tls from 'node:tls';
    export default tls.createServer({ ${readBy(used)} }, socket => socket.end('x'));
  `);
  expect(await nameShown()).toBe('server.test');
  install(makeCertificate('renewed.test', authority));
  expect(await nameShown()).toBe('server.test');
  server.signal('SIGHUP');
  await server.says(/"event":"reload"/);
  expect(await nameShown()).toBe('renewed.test');
  await server.stop();
});

test('ALPN agrees on a protocol', async () => {
  const server = await serve(teller("ALPNProtocols: ['acme', 'echo']"));
  const { told } = await connect(server, { ALPNProtocols: ['none', 'echo'] });
  expect(told.alpn).toBe('echo');
  await server.stop();
});

test('http2 and https share a port by ALPN', async () => {
  const server = await serve(`
    import fs from 'node:fs';
    import http2 from 'node:http2';
    export default http2.createSecureServer({ ${readBy(own)}, allowHTTP1: true }, (req, res) => {
      res.end('HTTP/' + req.httpVersion);
    });
  `);
  const url = `https://127.0.0.1:${server.port}`;
  const session = http2.connect(url, { ca });
  let body = '';
  for await (const chunk of session.request({ ':path': '/' }).setEncoding('utf8')) body += chunk;
  expect(body).toBe('HTTP/2.0');
  await new Promise<void>(resolve => session.close(resolve));
  expect((await get(url, { ca, agent: false })).body).toBe('HTTP/1.1');
  await server.stop();
});

describe('client certificates', () => {
  test('tell who the client is; one without is turned away, by its own child alone', async () => {
    const alice = makeCertificate('alice.test', authority);
    const mallory = makeCertificate('mallory.test');
    const server = await serve(
      teller(
        `requestCert: true, rejectUnauthorized: true, ca: fs.readFileSync(${JSON.stringify(authority.cert)})`,
      ),
    );
    const read = ({ key, cert }: Certificate) => ({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) });
    expect((await connect(server, read(alice))).told.client).toBe('alice.test');
    await expect(connect(server)).rejects.toThrow(/alert|ECONNRESET|hang up|disconnected|JSON/i);
    await expect(connect(server, read(mallory))).rejects.toThrow(
      /alert|ECONNRESET|hang up|disconnected|JSON/i,
    );
    for (const id of [2, 3]) expect(await server.exitOf(id)).toMatchObject({ code: 0, signal: null });
    expect((await connect(server, read(alice))).told.client).toBe('alice.test');
    await server.stop();
  });
});

describe('a client that speaks no TLS', () => {
  const server = (kind: string) => `
    import fs from 'node:fs';
    import ${kind} from 'node:${kind}';
    export default ${kind}.createServer({ ${readBy(own)} }, () => {});
  `;
  test.each(['tls', 'https'])(
    'gets a clean end from a server of %s, and its child exits with 0',
    async kind => {
      const served = await serve(server(kind));
      for (const text of ['GET / HTTP/1.0\r\n\r\n', 'nonsense'.repeat(100), '\x16\x03\x01\x00\x05nonsense']) {
        const client = await Client.connect(served.port);
        client.send(text);
        expect(await client.closed).toBe('');
      }
      for (const id of [1, 2, 3]) expect(await served.exitOf(id)).toMatchObject({ code: 0, signal: null });
      expect(served.stderr).toBe('');
      await served.stop();
    },
  );

  test('and goes without a word ends its child', async () => {
    const served = await serve(server('https'));
    const client = await Client.connect(served.port);
    const { pid } = await served.connectionOf(1);
    expect(isAlive(pid)).toBe(true);
    expect(await client.end()).toBe('');
    expect(await served.exitOf(1)).toMatchObject({ code: 0, signal: null });
    await served.stop();
  });
});
