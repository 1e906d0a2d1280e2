/** Many connections: every one answered, none hanging, nothing piling up. */
import { describe, expect, test } from 'vitest';
import { ask } from './harness/client.ts';
import { children, descriptors, status } from './harness/proc.ts';
import { serve } from './harness/served.ts';
import { eventually } from './harness/wait.ts';

const echo = 'export default { data(conn, chunk) { conn.write(chunk); } };';

describe.each([
  { total: 20_000, atOnce: 1 },
  { total: 10_000, atOnce: 32 },
])('$total connections, $atOnce at once', ({ total, atOnce }) => {
  test('are all answered; no zombie, no descriptor and no memory is left of them', {
    timeout: 900_000,
  }, async () => {
    const server = await serve(echo, [], { deadline: 890_000 });
    const zygote = server.zygotePid;
    const memory = () => Number.parseInt(status(zygote, 'VmRSS'), 10);
    let begun = 0;
    const client = async () => {
      while (begun < total) {
        const message = `message ${begun++} ${'.'.repeat(48)}`;
        if ((await ask(server.port, message)) !== message) throw new Error(`a wrong answer to ${message}`);
      }
    };
    const clientsUntil = async (count: number) => {
      const all = total;
      total = count;
      await Promise.all(Array.from({ length: atOnce }, client));
      total = all;
    };
    const exits = (count: number) => server.stdout.split('"event":"exit"').length - 1 === count;
    await clientsUntil(1000);
    await eventually('it to be at rest', () => exits(1000));
    const [openBefore, memoryBefore] = [descriptors(zygote), memory()];
    await clientsUntil(total);
    await eventually('all exits', () => exits(total));
    expect(server.exits.filter(({ code }) => code !== 0)).toEqual([]);
    expect(children(zygote)).toEqual([]);
    expect(descriptors(zygote)).toEqual(openBefore);
    expect(memory() - memoryBefore).toBeLessThan(1024); // KiB
    expect(server.stderr).toBe('');
    await server.stop();
  });
});
