/** Where the log is written: it may fail, and its reader may stall or leave, and neither ends the server or fills its memory. */

/** What a reader that is slow for a while may be behind. */
const mostQueued = 1 << 20; // bytes

/** How long the end of the server waits for a reader. */
const lastWaitMs = 1000;

type Stream = Pick<NodeJS.WriteStream, 'write' | 'writableLength' | 'isTTY' | 'on'>;

export class LogOutput {
  readonly #stream: Stream;
  readonly #describeLoss: (lines: number, why: string) => string;
  /** Lines that were lost since the last that was written. */
  #dropped = 0;
  #why = '';

  /** `describeLoss` makes the line that tells of lines that were lost. */
  constructor(stream: Stream, describeLoss: (lines: number, why: string) => string) {
    this.#stream = stream;
    this.#describeLoss = describeLoss;
    stream.on('error', () => {}); // each write is told of its own failure
  }

  get isTTY(): boolean {
    return this.#stream.isTTY;
  }

  /** One line, or several, with their newlines. */
  write(text: string): void {
    if (this.#stream.writableLength + text.length > mostQueued) this.#drop('its reader is too slow');
    else if (this.#dropped === 0) this.#send(text);
    else this.#tellOfLoss(text);
  }

  /** Resolves when all is written, or its reader has had its time: whether it is. */
  async finish(): Promise<boolean> {
    for (let waited = 0; this.#stream.writableLength > 0; waited += 10) {
      if (waited >= lastWaitMs) return false;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    return true;
  }

  #send(text: string, dropped = 0): void {
    this.#stream.write(text, error => {
      if (error) this.#drop((error as NodeJS.ErrnoException).code ?? error.message, dropped + 1);
    });
  }

  /** The line before may have been cut in its midst, so this begins on a new one. */
  #tellOfLoss(text: string): void {
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#send(`\n${this.#describeLoss(dropped, this.#why)}\n${text}`, dropped);
  }

  #drop(why: string, lines = 1): void {
    this.#dropped += lines;
    this.#why = why;
  }
}
