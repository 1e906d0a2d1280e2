// What the owner's commands mean to the forking server.
#include <algorithm>

#include "server/loop.h"

namespace truefork {

void ServeLoop::AwaitSettings() {
  if (!commands_.Await(options_.settings)) EndWithOwner();
}

void ServeLoop::Obey() {
  if (!commands_.Obey()) EndWithOwner();  // the owner is gone
}

void ServeLoop::RegisterCommands() {
  using namespace protocol;
  commands_.On<StopCommand>(Command::Stop, [this](const auto& stop) {
    shutdown_.Stop(std::chrono::milliseconds(stop.graceMs), Now());
  });
  commands_.On(Command::Kill, [this] { shutdown_.Kill(Now()); });
  commands_.On(Command::Retire, [this] {
    shutdown_.Retire();
    reports_.Retired(acceptor_.nextId());
  });
  commands_.On<BeginCommand>(Command::Begin, [this](const auto& begin) { acceptor_.Begin(begin.firstId); });
  commands_.On<RetiredChildrenCommand>(Command::RetiredChildren, [this](const auto& retired) {
    admission_.capacity().SetRetiredChildren(retired.count);
  });
  commands_.On<TimesCommand>(Command::Times, [this](const auto& times) { timeouts_.SetTimes(times); });
  commands_.On<ResourcesCommand>(Command::Resources, [this](const auto& given) { limits_.Set(given); });
  commands_.On<AdmissionCommand>(Command::Admission,
                                 [this](const auto& given) { admission_.SetLimits(given); });
  commands_.OnMessage(Command::AddressRules, [this](const Channel::Message& rules) {
    // Rules that TypeScript has checked and this cannot read are a bug of ours. Serving no one is safer than
    // everyone.
    if (!admission_.SetRules(rules.body)) EndWithOwner();
  });
  commands_.OnMessage(Command::Refusal, [this](const Channel::Message& message) {
    const auto refusal = message.As<RefusalCommand>();
    const auto reason = static_cast<Reason>(refusal.reason);
    const auto policy = static_cast<Policy>(refusal.policy);
    admission_.SetPolicy(reason, policy);
    refusals_.SetPolicy(reason, policy, message.After<RefusalCommand>());
  });
}

}  // namespace truefork
