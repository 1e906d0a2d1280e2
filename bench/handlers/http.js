// An unmodified http.Server, a process for each connection. memory.js holds idle ones: they may stay for ever.
import { createServer } from 'node:http';

export default createServer({ keepAliveTimeout: 0 }, (_request, response) => {
  response.end('hello, world\n');
});
