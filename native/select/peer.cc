#include "select/peer.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/faults.h"
#include "support/lingering_close.h"

namespace truefork {

namespace {

// A client that does not take its answers is not read from above the first mark, and given up above the
// second.
constexpr size_t kUnsentFull = 1 << 20;
constexpr size_t kUnsentTooMuch = 64 << 20;

}  // namespace

short Peer::PollEvents() const {
  if (isReleased_) return 0;
  const bool listens = IsLingering() || (isReading_ && !isEnding_ && unsent_.size() < kUnsentFull);
  const bool reads = listens && !hasFinished_;
  return static_cast<short>((reads ? POLLIN : 0) | (unsent_.empty() ? 0 : POLLOUT));
}

ssize_t Peer::Read(char* bytes, size_t size) {
  if (const int errnum = faults::Take(faults::Call::Read)) return errnum == EINTR ? -EAGAIN : -errnum;
  const ssize_t got = read(fd_, bytes, size);
  if (got < 0) return errno == EINTR ? -EAGAIN : -errno;
  if (got == 0) hasFinished_ = true;
  return got;
}

void Peer::Write(const char* bytes, size_t size) {
  if (unsent_.empty()) {
    const ssize_t sent = send(fd_, bytes, size, MSG_NOSIGNAL);
    if (sent > 0) {
      bytes += sent;
      size -= sent;
    }
  }
  unsent_.append(bytes, size);
}

bool Peer::IsHopeless() const { return unsent_.size() > kUnsentTooMuch; }

int Peer::Flush() {
  if (unsent_.empty()) return 0;
  const ssize_t sent = send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent > 0) unsent_.erase(0, sent);
  return sent >= 0 || errno == EINTR || errno == EAGAIN ? 0 : errno;
}

void Peer::BeginLinger(Time now) {
  BeginLingeringClose(fd_);
  lingersUntil_ = now + kLingerTime;
}

}  // namespace truefork
