/** Writes the messages that an owner sends. */
import { layOut } from './declare.js';
import { frame, headerSize, littleEndian } from './frame.js';
import { type CommandBody, type CommandName, commands } from './messages.js';

/** `rest` follows the struct: text, or bytes that the zygote is to send. */
export function encodeCommand<Name extends CommandName>(
  name: Name,
  body: CommandBody<Name>,
  rest: string | Uint8Array = '',
): Buffer {
  const { kind, fields } = commands[name];
  const { size, fields: places } = layOut(fields);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (const { name, type, offset } of places) {
    const value = (body as Record<string, number>)[name]!;
    if (type === 'u64') view.setBigUint64(offset, BigInt(value), littleEndian);
    else if (type === 'i32') view.setInt32(offset, value, littleEndian);
    else view.setUint32(offset, value, littleEndian);
  }
  return frame(kind, Buffer.concat([bytes, Buffer.from(rest as Uint8Array)]));
}

/** In two parts, for the listeners are sent along with the header. */
export function encodeConfig(config: object): { header: Buffer; body: Buffer } {
  const message = frame(commands.Config.kind, Buffer.from(JSON.stringify(config)));
  return { header: message.subarray(0, headerSize), body: message.subarray(headerSize) };
}
