/** Blocks of code in a page of documentation. */
import fs from 'node:fs';

export interface Block {
  /** The word before the colon in the comment above the block, as in `<!-- file: echo.js -->`. */
  kind: string | undefined;
  name: string | undefined;
  language: string;
  code: string;
}

export function blocksOf(page: string | URL): Block[] {
  const text = fs.readFileSync(page, 'utf8');
  const pattern = /(?:<!-- (?<kind>\w+): (?<name>\S+) -->\n)?^```(?<language>\w*)\n(?<code>.*?)^```$/gms;
  return Array.from(text.matchAll(pattern), ({ groups }) => groups as unknown as Block);
}

/** A transcript, with all that differs from run to run put aside. */
export function alike(text: string): string {
  return text
    .replaceAll(/127\.0\.0\.1:(\d+)/g, '127.0.0.1:PORT')
    .replaceAll(/\b(process|parent is|parent|child) \d+/g, '$1 PID')
    .replaceAll(/[\d.]+ ms/g, 'TIME')
    .replaceAll(/[\d.]+ (B|MiB)\b/g, 'SIZE');
}
