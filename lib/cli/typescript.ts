/** What `truefork run` starts for a TypeScript script that this Node cannot run by itself. */
import { fileURLToPath } from 'node:url';
import { importTypeScript } from '../script/typescript.js';

const [url] = process.argv.splice(2, 1);
process.argv[1] = fileURLToPath(url!);
await importTypeScript(url!);
