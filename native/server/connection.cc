#include "server/connection.h"

namespace truefork {

protocol::ConnectionRecord RecordOf(const Connection& connection, int32_t pid) {
  protocol::ConnectionRecord record{};
  record.id = connection.id;
  record.pid = pid;
  record.family = static_cast<uint16_t>(connection.local.family());
  record.remotePort = connection.peer.Port();
  record.localPort = connection.local.Port();
  connection.host.copy(record.remoteAddress, sizeof record.remoteAddress - 1);
  connection.local.Text().copy(record.localAddress, sizeof record.localAddress - 1);
  return record;
}

}  // namespace truefork
