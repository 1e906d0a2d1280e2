/** Where the serving process starts when a program is the handler: it is the loop in C++, and runs no JavaScript more. */
import path from 'node:path';
import { native } from '../binding/native.js';
import { armFaults } from '../fork/faults.js';
import { forkingOptions, receiveConfig } from '../wire/config.js';

const config = receiveConfig();
armFaults(process.env.TRUEFORK_FAULTS);
const program = config.program!;
process.title = `truefork: zygote ${path.basename(program.path)}`;
native.serve({ ...forkingOptions(config), program, onEnd: () => native.exitNow(0) });
