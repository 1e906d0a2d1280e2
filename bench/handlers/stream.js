// Served as a net.Socket, by the child's event loop.
export default async function (socket) {
  socket.pipe(socket);
}
