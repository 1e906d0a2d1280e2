// A ServeLoop in a process of its own, its owner, and clients.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/channel.h"
#include "server/loop.h"
#include "test/owner.h"
#include "test/subject.h"

namespace truefork::test {

// The lecture's doit(connfd).
void Echo(const Connection& connection);

class Server;

struct Options {
  uint32_t maxChildren = 256;
  bool standby = false;
  int backlog = 511;
  uint64_t firstId = 1;
  uint32_t settings = 0;
  std::optional<Program> program = {};
  Spares::Options spares = {};
  ChildIsolation::Options isolation = {};
  std::function<void()> before = [] {
  };  // runs in the server, before its loop: to arm faults, for the most part
  std::function<void(const Connection&)> serve = Echo;  // runs in each child
  std::function<void(Server&)> beforeListening = [](Server&) {
  };  // runs here, when the server has been started
};

class Server {
 public:
  explicit Server(Options options = {});

  uint16_t port() const { return port_; }
  pid_t pid() const { return process_->pid(); }
  int listener() const { return listener_; }  // these descriptors' numbers, in the server
  int channel() const { return channel_; }

  // The owner's commands. Stop() sets the delay from SIGTERM to SIGKILL, too.
  void Stop(uint32_t graceMs, uint32_t killMs);
  void Kill();
  void Begin(uint64_t firstId);
  void CountRetiredChildren(uint32_t children);
  void Retire();
  void LeaveAlone() { owner_.Leave(); }
  template <typename Body>
  void Command(protocol::Command kind, const Body& body) {
    owner_.Command(kind, body);
  }

  // The records so far, and waiting for so many of them.
  std::vector<protocol::ConnectionRecord> Connections() {
    return All<protocol::ConnectionRecord>(protocol::Record::Connection);
  }
  std::vector<protocol::ExitRecord> Exits() { return All<protocol::ExitRecord>(protocol::Record::Exit); }
  std::vector<protocol::TroubleRecord> Troubles() {
    return All<protocol::TroubleRecord>(protocol::Record::Trouble);
  }
  [[nodiscard]] bool Says(protocol::Record kind, size_t times = 1);
  const std::vector<Channel::Message>& Records() { return owner_.Records(); }

  // How the server itself ended, in words. All its records are there then.
  std::string Wait();

  template <typename Body>
  std::vector<Body> All(protocol::Record kind) {
    return owner_.All<Body>(kind);
  }

 private:
  Owner owner_;
  int listener_;
  int channel_;
  uint16_t port_;
  std::optional<Subject> process_;
};

class Client {
 public:
  // `from` is the address that it comes from, one of the loopback's.
  explicit Client(uint16_t port, const char* from = "127.0.0.1");
  explicit Client(const Server& server, const char* from = "127.0.0.1") : Client(server.port(), from) {}
  Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Client() { Close(); }

  uint16_t port() const;
  void Send(const std::string& text);
  std::string Receive(size_t size);  // what came, where the connection ended before
  int ErrorOfReceive();              // errno, or 0 where the server has ended the connection in order
  std::string Exchange(const std::string& text);
  // Says that no more will be sent, and takes all up to the server's end.
  std::string End();
  void Close();
  void Reset();  // as a client that crashed

 private:
  int fd_;
};

bool IsRefused(uint16_t port);

}  // namespace truefork::test
