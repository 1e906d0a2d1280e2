/** A message on its channel: a header (protocol::Header: length and kind) and its body, in the machine's own byte order. */
import os from 'node:os';

export const littleEndian = os.endianness() === 'LE';

/** Two u32: how many bytes follow, and which kind of message they are. */
export const headerSize = 8;

export function frame(kind: number, body: Uint8Array): Buffer {
  const message = Buffer.alloc(headerSize + body.length);
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  view.setUint32(0, body.length, littleEndian);
  view.setUint32(4, kind, littleEndian);
  message.set(body, headerSize);
  return message;
}
