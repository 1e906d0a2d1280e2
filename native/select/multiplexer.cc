#include "select/multiplexer.h"

#include <errno.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "binding/errors.h"
#include "binding/serve.h"
#include "child/drain_flag.h"
#include "server/connection.h"
#include "support/clock.h"
#include "support/faults.h"

namespace truefork {

namespace {

constexpr size_t kChunk = 64 * 1024;
char chunk[kChunk];

// A client that does not read is not read from while this much waits for it, and is given up at the second
// mark.
constexpr size_t kLineFull = 1 << 20;
constexpr size_t kLineTooLong = 64 << 20;

constexpr int64_t kPauseUs = 100'000;     // after the process was out of descriptors
constexpr int64_t kLingerUs = 2'000'000;  // for a client that goes on sending after we have said all

// The script's own listeners are told as those of a child would be.
void TellToFinish() {
  Notice::Give();
  raise(kFinishSignal);
}

enum { kListener, kChannel, kEventLoop, kFirstPeer };

}  // namespace

void Multiplexer::Start(Napi::Env env, std::unique_ptr<Listeners> listeners, const Options& options,
                        Napi::Object callbacks) {
  env_ = env;
  listeners_ = std::move(listeners);
  options_ = options;
  channel_ = Channel(options.channel);
  open_ = Callback(callbacks, "open");
  data_ = Callback(callbacks, "data");
  end_ = Callback(callbacks, "end");
  ended_ = Callback(callbacks, "ended");
  napi_get_uv_event_loop(env, &loop_);
  // As in blocking.cc: after the event loop's own poll, which does not wait, and before its next.
  uv_idle_init(loop_, &turn_);
  uv_check_init(loop_, &check_);
  check_.data = this;
  uv_idle_start(&turn_, [](uv_idle_t*) {});
  uv_check_start(&check_, [](uv_check_t* handle) { static_cast<Multiplexer*>(handle->data)->Serve(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
  channel_.Put(protocol::Record::Listening);
}

// One round: then JavaScript's own event loop takes its turn, without waiting, and comes back.
void Multiplexer::Serve() {
  if (HasEnded()) {
    uv_idle_stop(&turn_);
    uv_check_stop(&check_);
    return ended_();
  }
  if (!Wait()) return;
  ObeyCommands();
  if (waited_[kListener].revents != 0) AcceptOne();
  if (drainLeft_ > 0) Drain();
  for (size_t i = kFirstPeer; i < waited_.size(); i++) {
    if (waited_[i].revents != 0) ServeReady(waitedIds_[i - kFirstPeer], waited_[i].revents);
  }
  EndOverdue();
}

bool Multiplexer::MayAccept() const {
  const size_t occupied = peers_.empty() ? 0 : peers_.size() + elsewhere_;  // as in ServeLoop::Occupied()
  return listeners_->open() && !options_.standby && occupied < options_.maxConnections &&
         !channel_.IsCongested() && NowMicros() >= acceptAgainAt_;
}

bool Multiplexer::Wait() {
  channel_.Flush();
  const short channelEvents = channel_.HasUnsent() ? POLLIN | POLLOUT : POLLIN;
  waited_ = {{MayAccept() && drainLeft_ == 0 ? listeners_->fd() : -1, POLLIN, 0},
             {options_.channel, channelEvents, 0},
             {uv_backend_fd(loop_), POLLIN, 0}};
  waitedIds_.clear();
  for (const auto& [id, peer] : peers_) {
    if (peer.released) continue;
    const bool wanted =
        peer.lingersUntil > 0 || (peer.wanted && !peer.ending && peer.line.size() < kLineFull);
    const bool reads = wanted && !peer.hasFinished;
    const short events = (reads ? POLLIN : 0) | (peer.line.empty() ? 0 : POLLOUT);
    if (events == 0) continue;
    waited_.push_back({peer.fd, events, 0});
    waitedIds_.push_back(id);
  }
  const int timeout = MillisecondsToSleep();
  return options_.usePoll ? poll(waited_.data(), waited_.size(), timeout) >= 0 : WaitBySelect(timeout);
}

bool Multiplexer::WaitBySelect(int timeout) {
  fd_set readable, writable;
  FD_ZERO(&readable);
  FD_ZERO(&writable);
  int highest = -1;
  for (const pollfd& one : waited_) {
    if (one.fd < 0) continue;
    if (one.events & POLLIN) FD_SET(one.fd, &readable);
    if (one.events & POLLOUT) FD_SET(one.fd, &writable);
    highest = std::max(highest, one.fd);
  }
  timeval limit{timeout / 1000, timeout % 1000 * 1000};
  if (select(highest + 1, &readable, &writable, nullptr, timeout < 0 ? nullptr : &limit) < 0) return false;
  for (pollfd& one : waited_) {
    if (one.fd < 0) continue;
    if (FD_ISSET(one.fd, &readable)) one.revents |= POLLIN;
    if (FD_ISSET(one.fd, &writable)) one.revents |= POLLOUT;
  }
  return true;
}

int Multiplexer::MillisecondsToSleep() const {
  if (HasEnded() || (drainLeft_ > 0 && MayAccept())) return 0;
  // The idle handle makes libuv say 0 always; only what else is due counts.
  auto* turn = const_cast<uv_idle_t*>(&turn_);
  uv_idle_stop(turn);
  const int eventLoop = uv_loop_alive(loop_) ? uv_backend_timeout(loop_) : -1;
  uv_idle_start(turn, [](uv_idle_t*) {});

  int64_t wake = INT64_MAX;
  const int64_t now = NowMicros();
  if (eventLoop >= 0) wake = now + int64_t{eventLoop} * 1000;
  if (deadline_ > 0) wake = std::min(wake, deadline_);
  if (acceptAgainAt_ > now) wake = std::min(wake, acceptAgainAt_);
  for (const auto& [id, peer] : peers_) {
    if (peer.lingersUntil > 0) wake = std::min(wake, peer.lingersUntil);
  }
  if (wake == INT64_MAX) return -1;
  return static_cast<int>(std::clamp<int64_t>((wake - now + 999) / 1000, 0, 60'000));
}

void Multiplexer::ObeyCommands() {
  const bool ownerIsThere = waited_[kChannel].revents == 0 || channel_.Fill();
  if (!ownerIsThere) _exit(0);
  while (const auto message = channel_.Next()) {
    Obey(*message);
  }
}

void Multiplexer::Obey(const Channel::Message& message) {
  switch (static_cast<protocol::Command>(message.kind)) {
    case protocol::Command::Stop:
      return Stop(message.As<protocol::StopCommand>().graceMs);
    case protocol::Command::Kill:
      return Stop(0);
    case protocol::Command::Ping:
      return channel_.Put(protocol::Record::Pong);
    case protocol::Command::Begin:
      options_.standby = false;
      nextId_ = message.As<protocol::BeginCommand>().firstId;
      return;
    case protocol::Command::Elsewhere:
      elsewhere_ = message.As<protocol::ElsewhereCommand>().children;
      return;
    case protocol::Command::Resize:
      options_.maxConnections = message.As<protocol::ResizeCommand>().most;
      return;
    case protocol::Command::Retire:
      StopListening();
      channel_.Put(protocol::Record::Retired, protocol::RetiredRecord{nextId_});
      return TellToFinish();
    default:
      return;  // the limits of a forking server
  }
}

void Multiplexer::Stop(uint32_t graceMs) {
  if (listeners_->open()) drainLeft_ = listeners_->backlog();
  deadline_ = std::max<int64_t>(1, NowMicros() + int64_t{graceMs} * 1000);
  TellToFinish();
}

void Multiplexer::EndOverdue() {
  const int64_t now = NowMicros();
  const bool stop = deadline_ > 0 && now >= deadline_;
  if (stop) StopListening();
  for (auto peer = peers_.begin(); peer != peers_.end();) {
    const auto one = peer++;
    if (stop || (one->second.lingersUntil > 0 && now >= one->second.lingersUntil)) Close(one);
  }
}

// Those who queue already are let in, as there is room, before the listener is closed.
void Multiplexer::Drain() {
  if (!MayAccept()) return;
  if (AcceptOne() && --drainLeft_ > 0) return;
  StopListening();
}

void Multiplexer::StopListening() {
  drainLeft_ = 0;
  listeners_->Close();
}

// False when nobody waits.
bool Multiplexer::AcceptOne() {
  Connection connection{-1, nextId_, {}, {}, {}};
  if (const int errnum = faults::Take(faults::Call::Accept)) {
    errno = errnum;
  } else {
    connection.fd = listeners_->Accept(SOCK_NONBLOCK, &connection.peer, &connection.local);
  }
  const int errnum = connection.fd < 0 ? errno : 0;
  const bool tooHigh = connection.fd >= FD_SETSIZE && !options_.usePoll;
  if (tooHigh || errnum == EMFILE || errnum == ENFILE) {
    if (!refusing_) {
      protocol::TroubleRecord record{tooHigh ? EMFILE : errnum, {}};
      strncpy(record.syscall, tooHigh ? "select" : "accept", sizeof record.syscall - 1);
      channel_.Put(protocol::Record::Trouble, record);
    }
    refusing_ = true;
    if (!tooHigh) acceptAgainAt_ = NowMicros() + kPauseUs;
  }
  if (tooHigh) {
    shutdown(connection.fd, SHUT_RDWR);
    close(connection.fd);
  }
  if (connection.fd < 0 || tooHigh) return errnum != EAGAIN;
  refusing_ = false;

  nextId_++;
  connection.host = connection.peer.Text();
  channel_.Put(protocol::Record::Connection, RecordOf(connection, getpid()));
  Napi::HandleScope scope(env_);
  peers_.emplace(connection.id, Peer{connection.fd, NowMicros()});
  Napi::Object accepted = ConnectionObject(env_, connection);
  accepted.Set("fd", connection.fd);
  open_(accepted);
  return true;
}

void Multiplexer::ServeReady(uint64_t id, short events) {
  if (events & POLLOUT) SendLine(id);
  if (events & (POLLIN | POLLHUP | POLLERR)) Read(id);
}

void Multiplexer::Read(uint64_t id) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || found->second.hasFinished) return;
  errno = faults::Take(faults::Call::Read);
  const ssize_t size = errno == 0 ? read(found->second.fd, chunk, kChunk) : -1;
  const bool lingers = found->second.lingersUntil > 0;
  if (lingers && size > 0) return;
  if (lingers && (size == 0 || (errno != EINTR && errno != EAGAIN))) return Close(found);
  if (size > 0) {
    Napi::HandleScope scope(env_);
    data_(id, Napi::Buffer<char>::Copy(env_, chunk, size));
  } else if (size == 0) {
    found->second.hasFinished = true;
    end_(id, 0);
  } else if (errno != EINTR && errno != EAGAIN) {
    Fail(id, errno);
  }
}

bool Multiplexer::Write(uint64_t id, const char* bytes, size_t size) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || found->second.ending) return false;
  Peer& peer = found->second;
  if (peer.line.empty()) {
    const ssize_t sent = send(peer.fd, bytes, size, MSG_NOSIGNAL);
    if (sent > 0) {
      bytes += sent;
      size -= sent;
    }
    // A failure is told when the connection is next read from, in its turn.
  }
  peer.line.append(bytes, size);
  if (peer.line.size() > kLineTooLong) Fail(id, ENOBUFS);
  return size == 0;
}

void Multiplexer::SendLine(uint64_t id) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || found->second.line.empty()) return;
  Peer& peer = found->second;
  const ssize_t sent = send(peer.fd, peer.line.data(), peer.line.size(), MSG_NOSIGNAL);
  if (sent > 0) {
    peer.line.erase(0, sent);
  } else if (errno != EINTR && errno != EAGAIN) {
    return Fail(id, errno);
  }
  if (peer.ending && peer.line.empty()) Linger(found);
}

// To close on what the client has sent and we have not read would reset the connection, and could cost it the
// end of our answer.
void Multiplexer::Linger(Peers::iterator found) {
  Peer& peer = found->second;
  if (peer.hasFinished) return Close(found);
  shutdown(peer.fd, SHUT_WR);
  peer.lingersUntil = NowMicros() + kLingerUs;
}

void Multiplexer::SetReading(uint64_t id, bool reading) {
  const auto found = peers_.find(id);
  if (found != peers_.end()) found->second.wanted = reading;
}

void Multiplexer::End(uint64_t id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  found->second.ending = true;
  if (found->second.line.empty()) Linger(found);
}

void Multiplexer::Destroy(uint64_t id) {
  const auto found = peers_.find(id);
  if (found != peers_.end()) Close(found);
}

void Multiplexer::Release(uint64_t id) {
  const auto found = peers_.find(id);
  if (found != peers_.end()) found->second.released = true;
}

void Multiplexer::Fail(uint64_t id, int errnum) {
  Destroy(id);
  end_(id, -errnum);
}

void Multiplexer::Close(Peers::iterator found) {
  const auto& [id, peer] = *found;
  const protocol::EndRecord record{id, static_cast<uint64_t>(NowMicros() - peer.acceptedAt)};
  channel_.Put(protocol::Record::End, record);
  if (!peer.released) close(peer.fd);
  peers_.erase(found);
}

namespace {

Multiplexer multiplexer;  // one to a process

uint64_t Id(const Napi::CallbackInfo& info) { return info[0].As<Napi::Number>().Int64Value(); }

}  // namespace

Napi::Object RegisterMultiplexer(Napi::Env env, Napi::Object exports) {
  exports.Set("multiplex", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                const auto given = info[0].As<Napi::Object>();
                const auto number = [&](const char* name) {
                  return given.Get(name).As<Napi::Number>().Int64Value();
                };
                Multiplexer::Options options{};
                options.channel = number("channel");
                options.maxConnections = number("maxConnections");
                options.standby = true;
                options.usePoll = given.Get("usePoll").ToBoolean();
                auto listeners = std::make_unique<Listeners>(ListenersFrom(given));
                const char* failed = nullptr;
                if (!listeners->Listen(&failed)) throw SystemError(info.Env(), errno, failed);
                if (!Notice::Prepare()) throw SystemError(info.Env(), errno, "mmap");
                multiplexer.Start(info.Env(), std::move(listeners), options, info[1].As<Napi::Object>());
              }));
  exports.Set("peerWrite", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                auto bytes = info[1].As<Napi::Uint8Array>();
                const bool all = multiplexer.Write(Id(info), reinterpret_cast<const char*>(bytes.Data()),
                                                   bytes.ByteLength());
                return Napi::Boolean::New(info.Env(), all);
              }));
  exports.Set("peerRead", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                multiplexer.SetReading(Id(info), info[1].ToBoolean());
              }));
  exports.Set("peerEnd",
              Napi::Function::New(env, [](const Napi::CallbackInfo& info) { multiplexer.End(Id(info)); }));
  exports.Set("peerDestroy", Napi::Function::New(
                                 env, [](const Napi::CallbackInfo& info) { multiplexer.Destroy(Id(info)); }));
  exports.Set("peerRelease", Napi::Function::New(
                                 env, [](const Napi::CallbackInfo& info) { multiplexer.Release(Id(info)); }));
  return exports;
}

}  // namespace truefork
