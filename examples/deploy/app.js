/** What the units and the container serve. */
import http from 'node:http';

export default http.createServer((_request, response) => {
  response.end(`hello from process ${process.pid}\n`);
});
