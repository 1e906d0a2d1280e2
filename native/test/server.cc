#include "test/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstring>

#include "test/loopback.h"

namespace truefork::test {

namespace {

// What binding/serve.cc does, without JavaScript.
void RunServer(const Options& options, int listener, int channel) {
  options.before();
  uv_loop_t loop;
  uv_loop_init(&loop);
  {
    ServeLoop server(&loop, {channel,
                             {{listener, options.backlog}},
                             options.settings,
                             options.program,
                             options.spares,
                             options.isolation});
    EXPECT_TRUE(server.PrepareIsolation().empty());
    const char* failed = nullptr;
    EXPECT_TRUE(server.Open(&failed)) << failed << ": " << strerror(errno);
    const ServeLoop::Outcome outcome = server.Run();
    if (const auto* serve = std::get_if<ServeLoop::Serve>(&outcome)) {
      options.serve(serve->client);
      ExitSubject();
    }
  }
  EXPECT_EQ(uv_loop_close(&loop), 0);
}

}  // namespace

void Echo(const Connection& connection) {
  char chunk[4096];
  ssize_t size;
  while ((size = recv(connection.fd, chunk, sizeof chunk, 0)) > 0) {
    if (send(connection.fd, chunk, size, MSG_NOSIGNAL) < 0) return;
  }
}

Server::Server(Options options) : listener_(Bind()), channel_(owner_.channel()), port_(PortOf(listener_)) {
  process_.emplace([&] {
    owner_.Leave();
    RunServer(options, listener_, channel_);
  });
  close(listener_);
  owner_.CloseChannel();
  options.beforeListening(*this);
  if (options.settings == 0)
    Command(protocol::Command::Admission, protocol::AdmissionCommand{options.maxChildren, 0, 0, 1, 0, 1});
  if (!options.standby) Begin(options.firstId);
  EXPECT_TRUE(Says(protocol::Record::Listening));
}

void Server::Stop(uint32_t graceMs, uint32_t killMs) {
  Command(protocol::Command::Times, protocol::TimesCommand{0, 0, 0, killMs});
  Command(protocol::Command::Stop, protocol::StopCommand{graceMs});
}

void Server::Begin(uint64_t firstId) { Command(protocol::Command::Begin, protocol::BeginCommand{firstId}); }

void Server::CountRetiredChildren(uint32_t children) {
  Command(protocol::Command::RetiredChildren, protocol::RetiredChildrenCommand{children});
}

void Server::Retire() { owner_.Command(protocol::Command::Retire); }

void Server::Kill() { owner_.Command(protocol::Command::Kill); }

bool Server::Says(protocol::Record kind, size_t times) {
  return Eventually([&] { return owner_.Count(kind) >= times; });
}

std::string Server::Wait() {
  const int status = process_->Wait();
  Records();
  return Describe(status);
}

Client::Client(uint16_t port, const char* from) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval deadline{std::chrono::seconds(kDeadline).count(), 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
  sockaddr_in own = Loopback(0);
  EXPECT_EQ(inet_pton(AF_INET, from, &own.sin_addr), 1);
  EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0) << strerror(errno);
  const sockaddr_in server = Loopback(port);
  EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&server), sizeof server), 0) << strerror(errno);
}

uint16_t Client::port() const { return PortOf(fd_); }

void Client::Send(const std::string& text) {
  EXPECT_EQ(send(fd_, text.data(), text.size(), MSG_NOSIGNAL), ssize_t(text.size()));
}

std::string Client::Receive(size_t size) {
  std::string text(size, '\0');
  const ssize_t received = recv(fd_, text.data(), size, MSG_WAITALL);
  text.resize(received > 0 ? received : 0);
  return text;
}

int Client::ErrorOfReceive() {
  char byte;
  const ssize_t size = recv(fd_, &byte, 1, 0);
  EXPECT_LE(size, 0);
  return size < 0 ? errno : 0;
}

std::string Client::Exchange(const std::string& text) {
  Send(text);
  return Receive(text.size());
}

std::string Client::End() {
  shutdown(fd_, SHUT_WR);
  std::string all;
  for (std::string some; !(some = Receive(4096)).empty();) all += some;
  return all;
}

void Client::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

void Client::Reset() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  Close();
}

bool IsRefused(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in server = Loopback(port);
  const bool refused =
      connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0 && errno == ECONNREFUSED;
  close(fd);
  return refused;
}

}  // namespace truefork::test
