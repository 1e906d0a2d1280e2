#include "server/reports.h"

#include <cstring>
#include <string_view>

namespace truefork {

namespace {

// What is too long, a Unix socket's path, is cut.
template <size_t Size>
void CopyText(char (&field)[Size], std::string_view text) {
  text.copy(field, Size - 1);
}

}  // namespace

void Reports::Accepted(const Connection& connection, pid_t pid) {
  protocol::ConnectionRecord record{};
  record.id = connection.id;
  record.pid = pid;
  record.family = static_cast<uint16_t>(connection.local.family());
  record.remotePort = connection.peer.Port();
  record.localPort = connection.local.Port();
  CopyText(record.remoteAddress, connection.host);
  CopyText(record.localAddress, connection.local.Text());
  channel_.Put(protocol::Record::Connection, record);
}

void Reports::Ended(const End& end) {
  protocol::EndRecord record{};
  record.id = end.id;
  record.durationUs = end.duration.count();
  record.rolledBack = end.done.rolledBack;
  end.done.used.WriteTo(record);
  record.bytesIn = end.bytesIn;
  record.bytesOut = end.bytesOut;
  channel_.Put(protocol::Record::End, record);
}

void Reports::Exited(const Exit& exit) {
  protocol::ExitRecord record{};
  record.id = exit.id;
  record.pid = exit.pid;
  record.status = exit.status;
  record.durationUs = exit.duration.count();
  exit.usage.WriteTo(record);
  record.bytesIn = exit.bytesIn;
  record.bytesOut = exit.bytesOut;
  record.limit = static_cast<uint32_t>(exit.limit);
  record.execErrnum = exit.execErrnum;
  record.replacedFor = exit.replacedFor;
  channel_.Put(protocol::Record::Exit, record);
}

void Reports::Trouble(const char* syscall, int errnum) {
  protocol::TroubleRecord record{errnum, {}};
  CopyText(record.syscall, syscall);
  channel_.Put(protocol::Record::Trouble, record);
}

void Reports::Refused(protocol::Reason reason, uint32_t count, const Address& latest) {
  protocol::RefusedRecord record{static_cast<uint32_t>(reason), count, latest.Port(), {}};
  CopyText(record.remoteAddress, latest.Host());
  channel_.Put(protocol::Record::Refused, record);
}

}  // namespace truefork
