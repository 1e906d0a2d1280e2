#include "trace/records.h"

#include <errno.h>
#include <sys/socket.h>

#include <cstring>

#include "support/clock.h"
#include "trace/calls.h"

namespace truefork::trace {

namespace {

constexpr size_t kEnough = 64 * 1024;
constexpr size_t kHeader = 24;  // behind the size

}  // namespace

void Records::StartClock() { start_ = NowMicros(); }

template <typename Number>
void Records::Put(Number number) {
  pending_.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void Records::Add(Kind kind, Subject subject, std::initializer_list<int64_t> values,
                  std::initializer_list<std::string_view> blobs) {
  size_t size = kHeader + values.size() * sizeof(int64_t);
  for (const std::string_view blob : blobs) size += sizeof(uint32_t) + blob.size();
  Put(static_cast<uint32_t>(size));
  Put(static_cast<uint8_t>(kind));
  Put(uint8_t{0});
  Put(subject.call);
  Put(static_cast<int32_t>(subject.pid));
  Put(static_cast<int32_t>(subject.tid));
  Put(start_ == 0 ? int64_t{0} : NowMicros() - start_);
  Put(static_cast<uint8_t>(values.size()));
  Put(static_cast<uint8_t>(blobs.size()));
  Put(uint16_t{0});
  for (const int64_t value : values) Put(value);
  for (const std::string_view blob : blobs) {
    Put(static_cast<uint32_t>(blob.size()));
    pending_.append(blob);
  }
  if (pending_.size() >= kEnough) Flush();
}

bool Records::Flush() {
  size_t done = 0;
  while (!broken_ && done < pending_.size()) {
    const ssize_t sent = send(socket_, pending_.data() + done, pending_.size() - done, MSG_NOSIGNAL);
    if (sent >= 0) {
      done += static_cast<size_t>(sent);
    } else if (errno != EINTR) {
      broken_ = true;
    }
  }
  pending_.clear();
  return !broken_;
}

}  // namespace truefork::trace
