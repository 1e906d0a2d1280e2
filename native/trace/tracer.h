// The tracer: one loop that waits for stops of traced threads and for commands, and sends records.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trace/filter.h"
#include "trace/handler_watch.h"
#include "trace/image.h"
#include "trace/injections.h"
#include "trace/launch.h"
#include "trace/records.h"
#include "trace/registers.h"
#include "trace/tracees.h"

namespace truefork::trace {

struct Options {
  Program program;
  Filter filter = Filter::LifeCycle;
  std::vector<std::string> injections;
  size_t maxProcesses = 256;
  bool confineSignals = true;
  bool addresses = true;
  size_t dataLength = 256;
  std::vector<int> watchedSignals;
  std::vector<std::string> unsafeFunctions;
};

class Tracer {
 public:
  // Records go to `socket`, and commands come from it, a line each: "kill PID SIGNAL", "inject ...", "end".
  // Its end is an order to end, too.
  Tracer(Options options, int socket);
  ~Tracer();

  // Returns when nothing of the program is left.
  void Run();

 private:
  bool Launch();
  void Wait();
  bool TakeWaits();
  void ReadCommands();
  void Obey(const std::string& command);
  void KillAll();

  // What waitpid(2) says of a thread.
  void OnGone(pid_t tid, int status);
  void OnStop(pid_t tid, int status);
  void OnEvent(Thread& thread, int event, int signal);
  void OnTraceStop(Thread& thread, int signal);
  void OnFork(Thread& thread, int event);
  void OnExec(Thread& thread);
  void OnSignal(Thread& thread, int signal);
  void OnStep(Thread& thread);

  // A call, at its two ends.
  void OnEntry(Thread& thread);
  void OnExit(Thread& thread);
  void Enter(Thread& thread, const CallState& state);
  std::string EntryData(const Thread& thread) const;
  std::string ScatteredData(const Thread& thread, size_t most) const;
  void Leave(Thread& thread, int64_t result);
  std::string ExitData(const Thread& thread, int64_t result) const;

  // What changes a call.
  bool Intervene(Thread& thread);
  std::optional<Reason> Forbidden(const Thread& thread) const;
  bool IsOwnGroup(pid_t group) const;
  void Inject(Thread& thread, const Injection& injection);
  void Shorten(Thread& thread, uint64_t most);
  void ShortenVector(Thread& thread, uint64_t vector, uint64_t count, uint64_t countAddress, uint64_t most);
  void UndoChanges(Thread& thread);

  enum class Until { Call, Exit, Step };
  void Resume(Thread& thread, Until until, int signal = 0);
  void ResumeAsBefore(Thread& thread, int signal = 0);
  Subject SubjectOf(const Thread& thread) const;
  void Adopt(Thread& thread, pid_t parent, BornBy how);

  const Options options_;
  const int socket_;
  Records records_;
  Injections injections_;
  Tracees tracees_;
  // One for each exec; processes point to them.
  std::vector<std::unique_ptr<const Image>> images_;
  HandlerWatch watch_;
  class Launch launch_;
  std::string commands_;
  bool ending_ = false;
  bool socketEnded_ = false;
};

}  // namespace truefork::trace
