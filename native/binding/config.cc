#include "binding/config.h"

#include <errno.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "binding/errors.h"
#include "protocol/messages.h"
#include "support/rights.h"

namespace truefork {

namespace {

// False where the owner has ended before it had said all.
bool ReceiveAll(int socket, char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t received = recv(socket, bytes, size, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return false;
    bytes += received;
    size -= received;
  }
  return true;
}

}  // namespace

Napi::Value SendConfig(const Napi::CallbackInfo& info) {
  const auto header = info[1].As<Napi::Uint8Array>();
  const auto list = info[2].As<Napi::Array>();
  std::vector<int> listeners;
  for (uint32_t i = 0; i < list.Length(); i++)
    listeners.push_back(list.Get(i).As<Napi::Number>().Int32Value());
  const ssize_t sent = rights::Send(info[0].As<Napi::Number>().Int32Value(), header.Data(),
                                    header.ByteLength(), listeners.data(), listeners.size());
  if (sent < 0 && errno != EPIPE) throw SystemError(info.Env(), errno, "sendmsg");
  return Napi::Boolean::New(info.Env(), sent > 0);
}

Napi::Value ReceiveConfig(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const int socket = info[0].As<Napi::Number>().Int32Value();
  protocol::Header header;
  std::vector<int> listeners(rights::kMost);
  size_t count = listeners.size();
  // The header is the first that was ever sent here, and eight bytes: it comes whole.
  if (rights::Receive(socket, &header, sizeof header, listeners.data(), &count) != sizeof header)
    return env.Undefined();
  std::string body(header.length, '\0');
  if (!ReceiveAll(socket, body.data(), body.size())) return env.Undefined();

  Napi::Array descriptors = Napi::Array::New(env, count);
  for (size_t i = 0; i < count; i++) descriptors.Set(i, listeners[i]);
  Napi::Object received = Napi::Object::New(env);
  received.Set("body", body);
  received.Set("listeners", descriptors);
  return received;
}

}  // namespace truefork
