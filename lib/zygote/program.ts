/** Where a zygote starts when a program serves instead of a handler: it runs no JavaScript but this. */
import path from 'node:path';
import { native } from '../binding/native.js';
import { armFaults } from '../fork/faults.js';
import { forkingOptions, receiveConfig } from '../serving/config.js';

const config = receiveConfig();
armFaults(process.env.TRUEFORK_FAULTS);
const program = config.program!;
process.title = `truefork: zygote ${path.basename(program.path)}`;
native.serve({ ...forkingOptions(config), program, onEnd: () => native.exitNow(0) });
