/**
 * The two records that the zygote's JavaScript sends, before its loop begins: that the handler could not be loaded, and
 * which files it was loaded from. They have a file of their own because it is all that a zygote loads of the protocol.
 */
import { frame } from './frame.js';

export const loadFailedKind = 1;
export const filesKind = 8;

/** A handler's own error, on its way from the zygote to the caller of `listen()`. */
export interface LoadError {
  name: string;
  message: string;
  stack?: string | undefined;
  code?: string | undefined;
}

export function encodeLoadFailed({ name, message, stack, code }: LoadError): Buffer {
  return frame(loadFailedKind, Buffer.from(JSON.stringify({ name, message, stack, code })));
}

export function encodeFiles(files: readonly string[]): Buffer {
  return frame(filesKind, Buffer.from(JSON.stringify(files)));
}
