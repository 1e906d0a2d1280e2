/** Watches files, and calls back when one of them changes. */
import fs from 'node:fs';
import path from 'node:path';

/** An editor writes a file in several steps, and a checkout writes many: all that happens within this time is one change. */
const settleMs = 100;

export class FileWatcher {
  readonly #changed: () => void;
  /** By folder, the names in it. A watch of the file itself would follow it when an editor renames another over it. */
  readonly #names = new Map<string, Set<string>>();
  readonly #watchers: fs.FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Watches these too. A file that is no longer imported stays watched, at the cost of a needless call. */
  follow(files: readonly string[]): void {
    for (const file of files) {
      const { dir, base } = path.parse(file);
      const names = this.#names.get(dir);
      if (names !== undefined) names.add(base);
      else this.#watch(dir, new Set([base]));
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(folder: string, names: Set<string>): void {
    if (!fs.existsSync(folder)) return; // Node reports also paths where it looked for a module in vain
    this.#names.set(folder, names);
    const watcher = fs.watch(folder, { persistent: false }, (_event, name) => {
      if (name !== null && !names.has(name)) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(this.#changed, settleMs);
    });
    watcher.on('error', () => watcher.close()); // the folder is gone
    this.#watchers.push(watcher);
  }
}
