/** A place to listen at: TCP, a Unix socket, or a socket that this process was passed. */
export interface Place {
  port?: number;
  host?: string;
  path?: string;
  fd?: number;
}
