import { afterEach } from 'vitest';
import { endAll } from './subject.ts';

afterEach(endAll);
