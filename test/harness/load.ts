/** Clients that come again and again, until they are stopped. */
import { ask } from './client.ts';

export class Load {
  readonly #clients: Promise<void>[];
  #stopped = false;
  answers = 0;
  readonly failures: string[] = [];

  /** Each connects, sends a line, expects it back up to the server's end, and begins anew. */
  constructor(port: number, clients: number, answerTo: (line: string) => RegExp) {
    this.#clients = Array.from({ length: clients }, async (_, n) => {
      for (let turn = 0; !this.#stopped; turn++) {
        const line = `client ${n}, turn ${turn}\n`;
        try {
          const answer = await ask(port, line);
          if (answerTo(line).test(answer)) this.answers++;
          else this.failures.push(`answered ${JSON.stringify(answer)}`);
        } catch (error) {
          this.failures.push((error as Error).message);
        }
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }
}
