#include "support/address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace truefork {

namespace {

// The address as the kernel gives it back for a Unix socket bound to this path or abstract name.
Address Bound(const std::string& path) {
  Address wanted, given;
  auto* name = reinterpret_cast<sockaddr_un*>(&wanted.storage);
  name->sun_family = AF_UNIX;
  path.copy(name->sun_path, sizeof name->sun_path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(fd, wanted.raw(), offsetof(sockaddr_un, sun_path) + path.size()), 0) << strerror(errno);
  EXPECT_EQ(getsockname(fd, given.raw(), &given.length), 0);
  close(fd);
  return given;
}

std::string RoundTrip(const std::string& host) {
  Address address;
  return ParseIp(host, 7777, &address) ? address.Host() : "refused";
}

}  // namespace

TEST(AddressTest, Ipv4) {
  Address address;
  ASSERT_TRUE(ParseIp("127.0.0.1", 7777, &address));
  EXPECT_EQ(address.family(), AF_INET);
  EXPECT_EQ(address.length, sizeof(sockaddr_in));
  EXPECT_EQ(address.Host(), "127.0.0.1");
  EXPECT_EQ(address.Port(), 7777);
}

TEST(AddressTest, Ipv6) {
  Address address;
  ASSERT_TRUE(ParseIp("::1", 65535, &address));
  EXPECT_EQ(address.family(), AF_INET6);
  EXPECT_EQ(address.length, sizeof(sockaddr_in6));
  EXPECT_EQ(address.Host(), "::1");
  EXPECT_EQ(address.Port(), 65535);
  EXPECT_EQ(RoundTrip("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  EXPECT_EQ(RoundTrip("::ffff:10.0.0.1"), "::ffff:10.0.0.1");
}

TEST(AddressTest, Ipv6KeepsItsScope) {
  EXPECT_EQ(RoundTrip("fe80::1%lo"), "fe80::1%lo");
  EXPECT_EQ(RoundTrip("fe80::1%no-such-interface"), "refused");
}

TEST(AddressTest, NamesAreNotResolved) {
  for (const char* host : {"localhost", "example.org", "", "127.0.0.1.5", "1::2::3", "/tmp/socket"}) {
    EXPECT_EQ(RoundTrip(host), "refused") << host;
  }
}

TEST(AddressTest, UnixPath) {
  std::string path = testing::TempDir() + "truefork-" + std::to_string(getpid()) + ".sock";
  for (const size_t size :
       {path.size(), sizeof(sockaddr_un::sun_path)}) {  // the longest has no room for a NUL
    path.resize(size, 'x');
    const Address address = Bound(path);
    EXPECT_EQ(address.Host(), path);
    EXPECT_EQ(address.Port(), 0);
    unlink(path.c_str());
  }
}

TEST(AddressTest, AbstractNameBeginsWithNul) {
  using namespace std::string_literals;
  const std::string abstract = "\0truefork\0test-"s + std::to_string(getpid());
  EXPECT_EQ(Bound(abstract).Host(), abstract);
}

TEST(AddressTest, UnnamedSocketHasNoHost) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  Address address;
  ASSERT_EQ(getpeername(fds[0], address.raw(), &address.length), 0);
  EXPECT_EQ(address.Host(), "");
  EXPECT_EQ(address.Port(), 0);
  close(fds[0]);
  close(fds[1]);
}

}  // namespace truefork
