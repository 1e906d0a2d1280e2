/** Where the database is: `SCHEDULE_DB`, or a file beside this one. */
import { fileURLToPath } from 'node:url';

export const databaseFile = process.env.SCHEDULE_DB ?? fileURLToPath(new URL('schedule.db', import.meta.url));
