/** A request that is answered with a reason, and not done. Any other error is a fault of the program. */
export class Refusal extends Error {
  /**
   * @param {'BAD' | 'DENIED' | 'CONFLICT' | 'MISSING' | 'BUSY'} status The reply's first word, as in PROTOCOL.md.
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}
