// An unmodified http.Server, a process for each connection.
import { createServer } from 'node:http';

export default createServer((_request, response) => {
  response.end('hello, world\n');
});
