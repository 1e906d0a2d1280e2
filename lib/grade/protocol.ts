/** What the server is to understand: requests, and how an answer is recognised. */
import fs from 'node:fs';
import { gradeMisuse } from './misuse.js';

export interface Protocol {
  readonly name: string;
  /** The nth request, from 0. Requests that differ have answers that differ, where the protocol can tell. */
  request(n: number): string;
  /** Whether all that came on a connection ends the answer to its request n. */
  answers(received: string, n: number): boolean;
  /** The answer has the same bytes, so that a stream of requests can be counted. */
  readonly echoes: boolean;
}

const words = ['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot', 'golf', 'hotel'];

const echo: Protocol = {
  name: 'echo',
  request: n => `${lineOf(n)}\n`,
  answers: (received, n) => received.includes(lineOf(n)),
  echoes: true,
};

/** A line goes in, a line comes out, whatever it says. */
const line: Protocol = {
  name: 'line',
  request: n => `${lineOf(n)}\n`,
  answers: received => received.includes('\n'),
  echoes: false,
};

function lineOf(n: number): string {
  return `${words[n % words.length]}-${n}-truefork`;
}

interface ProtocolFile {
  name?: string;
  requests: { send: string; expect: string }[];
}

/** @throws `ERR_TRUEFORK_GRADE` when it is neither a name nor a file in that form */
export function protocolNamed(name: string): Protocol {
  if (name === 'echo') return echo;
  if (name === 'line') return line;
  return fromFile(name);
}

function fromFile(file: string): Protocol {
  let given: ProtocolFile;
  try {
    given = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    throw gradeMisuse(`--protocol is echo, line or a JSON file: ${(error as Error).message}`);
  }
  const { requests } = given;
  if (!Array.isArray(requests) || requests.length === 0 || !requests.every(isExchange))
    throw gradeMisuse(`${file}: "requests" must be a list of { "send": text, "expect": regular expression }`);
  const expected = requests.map(({ expect }) => new RegExp(expect, 's'));
  const at = (n: number) => n % requests.length;
  return {
    name: given.name ?? file,
    request: n => requests[at(n)]!.send,
    answers: (received, n) => expected[at(n)]!.test(received),
    echoes: false,
  };
}

function isExchange({ send, expect }: { send?: unknown; expect?: unknown }): boolean {
  if (typeof send !== 'string' || typeof expect !== 'string') return false;
  try {
    new RegExp(expect, 's');
    return send !== '';
  } catch {
    return false;
  }
}
