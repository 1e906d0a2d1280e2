#include "server/limits/tcp_traffic.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace truefork {

namespace {

// The states in which the peer has finished (RFC 9293; the kernel's numbers are in include/net/tcp_states.h).
// Its FIN counts as one byte in the sequence numbers.
bool HasReceivedFin(uint8_t state) {
  constexpr uint8_t kTimeWait = 6, kCloseWait = 8, kLastAck = 9, kClosing = 11;
  return state == kTimeWait || state == kCloseWait || state == kLastAck || state == kClosing;
}

bool TakeEndpoint(const Address& address, __be16* port, __be32* ip, __u32* scope) {
  if (address.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    *port = v4->sin_port;
    *ip = v4->sin_addr.s_addr;
    return true;
  }
  if (address.family() != AF_INET6) return false;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  *port = v6->sin6_port;
  *scope = v6->sin6_scope_id;
  std::memcpy(ip, &v6->sin6_addr, sizeof v6->sin6_addr);
  return true;
}

}  // namespace

std::optional<TcpTraffic> TcpTraffic::Of(int fd, const Address& peer) {
  Address local;
  if (getsockname(fd, local.raw(), &local.length) != 0) return std::nullopt;
  TcpTraffic traffic{};
  traffic.family_ = peer.family();
  inet_diag_sockid& id = traffic.id_;
  if (!TakeEndpoint(local, &id.idiag_sport, id.idiag_src, &id.idiag_if)) return std::nullopt;
  if (!TakeEndpoint(peer, &id.idiag_dport, id.idiag_dst, &id.idiag_if)) return std::nullopt;
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return traffic;
}

std::optional<TcpTraffic::Answer> TcpTraffic::Ask() const {
  // Opened for each question, of which there are few: every child would inherit one that stays open.
  const int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) return std::nullopt;
  struct {
    nlmsghdr header;
    inet_diag_req_v2 question;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.question.sdiag_family = family_;
  request.question.sdiag_protocol = IPPROTO_TCP;
  request.question.idiag_ext = 1 << (INET_DIAG_INFO - 1);
  request.question.idiag_states = ~0u;
  request.question.id = id_;
  alignas(nlmsghdr) char reply[4096];
  const bool asked = send(netlink, &request, sizeof request, 0) == ssize_t{sizeof request};
  const ssize_t size = asked ? recv(netlink, reply, sizeof reply, MSG_DONTWAIT) : -1;
  close(netlink);

  const auto* header = reinterpret_cast<const nlmsghdr*>(reply);
  if (size < ssize_t{NLMSG_LENGTH(sizeof(inet_diag_msg))} || header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
    return std::nullopt;
  const auto* message = static_cast<const inet_diag_msg*>(NLMSG_DATA(header));
  int left = static_cast<int>(size - NLMSG_LENGTH(sizeof *message));
  for (const auto* attribute = reinterpret_cast<const rtattr*>(message + 1); RTA_OK(attribute, left);
       attribute = RTA_NEXT(attribute, left)) {
    // An older kernel has fewer fields than our headers. bytes_received came with 4.1.
    if (attribute->rta_type != INET_DIAG_INFO ||
        RTA_PAYLOAD(attribute) < offsetof(tcp_info, tcpi_bytes_received) + sizeof(uint64_t))
      continue;
    tcp_info info{};
    std::memcpy(&info, RTA_DATA(attribute), std::min<size_t>(RTA_PAYLOAD(attribute), sizeof info));
    Answer answer{};
    answer.bytesIn = info.tcpi_bytes_received - (HasReceivedFin(message->idiag_state) ? 1 : 0);
    answer.bytesOut = info.tcpi_bytes_acked;
    answer.isSending = info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0;
    answer.sinceIn = std::chrono::milliseconds(info.tcpi_last_data_recv);
    answer.sinceOut = std::chrono::milliseconds(info.tcpi_last_data_sent);
    return answer;
  }
  return std::nullopt;
}

}  // namespace truefork
