/** What was asked of the grader makes no sense: the command turns it into exit code 2. */
import { misuse } from '../errors.js';

export const gradeMisuse = (message: string) => misuse('ERR_TRUEFORK_GRADE', message);
