/** What becomes of a client that a limit keeps out. */
import { badArgument } from '../../errors.js';
import { type Kind, show } from '../kind.js';

/**
 * How a client is turned away: its connection is closed (`'refuse'`), closed after a message
 * (`'refuse:too many of you\n'`, or bytes), or reset.
 */
export type Policy = 'refuse' | `refuse:${string}` | 'reset' | Uint8Array;

/** The limits of the whole server can also leave clients in the backlog. */
export type GlobalPolicy = Policy | 'queue';

/** A message of this size fits into the send buffer of a new socket, so that sending it never blocks. */
const longestRefusal = 4096;

export function policy(): Kind<Policy> {
  return policyOf<Policy>('refuse|refuse:text|reset', '');
}

export function globalPolicy(): Kind<GlobalPolicy> {
  return policyOf<GlobalPolicy>('queue|refuse|refuse:text|reset', '"queue", ');
}

function policyOf<Allowed extends GlobalPolicy>(placeholder: string, queue: string): Kind<Allowed> {
  return {
    placeholder,
    parse: unescaped,
    check(name, value) {
      const isWord = value === 'reset' || value === 'refuse' || (value === 'queue' && queue !== '');
      const isText = typeof value === 'string' && value.startsWith('refuse:');
      if (isWord) return value as Allowed;
      if (!isText && !(value instanceof Uint8Array)) {
        throw badArgument(
          `${name} has to be ${queue}"refuse", "refuse:" and a message for the client, or "reset"; not ${show(value)}`,
        );
      }
      if (Buffer.byteLength(value) > longestRefusal)
        throw badArgument(`${name}: a message for a client has at most ${longestRefusal} bytes`);
      return value as Allowed;
    },
    show: value => (typeof value === 'string' ? value : 'refuse:…'),
  };
}

/** On the command line the end of a line is written as in a string: `refuse:too many\\r\\n`. */
function unescaped(text: string): string {
  const characters: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\\': '\\' };
  return text.replaceAll(/\\([nrt\\])/g, (_, letter: string) => characters[letter]!);
}
