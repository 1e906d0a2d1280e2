#include "test/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstring>

namespace truefork::test {

namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

uint16_t PortOf(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

int Bind() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const sockaddr_in any = Loopback(0);
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
  return fd;
}

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

Server::Server(Options options) : listener_(Bind()), channel_(owner_.fds[1]), port_(PortOf(listener_)) {
  process_.emplace([&] {
    owner_.Close(0);
    RunServer(options, listener_, channel_);
  });
  close(listener_);
  owner_.Close(1);
  options.beforeListening(*this);
  if (options.settings == 0)
    Command(protocol::Command::Admission, protocol::AdmissionCommand{options.maxChildren, 0, 0, 1, 0, 1});
  if (!options.standby) Begin(options.firstId);
  EXPECT_TRUE(Says(protocol::Record::Listening));
}

void Server::Stop(uint32_t graceMs, uint32_t killMs) {
  Command(protocol::Command::Times, protocol::TimesCommand{0, 0, 0, killMs});
  Command(protocol::Command::Stop, protocol::StopCommand{graceMs, killMs});
}

void Server::Begin(uint64_t firstId) {
  const protocol::BeginCommand begin{firstId};
  Command(protocol::Command::Begin, {reinterpret_cast<const char*>(&begin), sizeof begin});
}

void Server::CountRetiredChildren(uint32_t children) {
  const protocol::ElsewhereCommand elsewhere{children};
  Command(protocol::Command::Elsewhere, {reinterpret_cast<const char*>(&elsewhere), sizeof elsewhere});
}

void Server::Retire() { Command(protocol::Command::Retire, ""); }

void Server::Kill() { Command(protocol::Command::Kill, std::string()); }

void Server::Command(protocol::Command kind, const std::string& body) {
  const protocol::Header header{static_cast<uint32_t>(body.size()), static_cast<uint32_t>(kind)};
  const std::string message = std::string(reinterpret_cast<const char*>(&header), sizeof header) + body;
  EXPECT_EQ(send(owner_.fds[0], message.data(), message.size(), MSG_NOSIGNAL), ssize_t(message.size()));
}

const std::vector<Channel::Message>& Server::Records() {
  ear_.Fill();
  while (auto record = ear_.Next()) records_.push_back(*record);
  return records_;
}

bool Server::Says(protocol::Record kind, size_t times) {
  return Eventually([&] {
    size_t said = 0;
    for (const Channel::Message& record : Records())
      said += record.kind == static_cast<uint32_t>(kind) ? 1 : 0;
    return said >= times;
  });
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
