#include "base/signals.h"

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace kura::base {
namespace {

using std::chrono::milliseconds;

// How `body` ended when run in a process of its own, as waitpid gives it; a body that returns exits with its value.
int status_of_process(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

bool stops_within(const std::stop_token& token, milliseconds limit) {
  for (milliseconds waited{0}; waited < limit; waited += milliseconds(1)) {
    if (token.stop_requested()) return true;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return token.stop_requested();
}

int stopped_by(int signal_number) {
  SignalStop signals;
  if (signals.token().stop_requested()) return 1;
  ::raise(signal_number);
  return stops_within(signals.token(), milliseconds(10'000)) ? 0 : 2;
}

TEST(SignalStopTest, TheFirstSignalRequestsAStop) {
  for (const int signal_number : kStopSignals) {
    const int status = status_of_process([&] { return stopped_by(signal_number); });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

TEST(SignalStopTest, TheSecondSignalEndsTheProcess) {
  const std::pair<int, int> cases[] = {{SIGINT, SIGINT}, {SIGTERM, SIGTERM}, {SIGINT, SIGTERM}, {SIGTERM, SIGINT}};
  for (const std::pair<int, int>& both : cases) {
    const int status = status_of_process([&] {
      SignalStop signals;
      ::raise(both.first);
      ::raise(both.second);
      return 0;
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == both.second) << status;
  }
}

// A closed terminal: the kernel, the shell and the session's manager send these, in any order.
TEST(SignalStopTest, AHangUpEndsNothingByForce) {
  const std::vector<std::vector<int>> cases = {
      {SIGHUP, SIGHUP}, {SIGHUP, SIGTERM}, {SIGTERM, SIGHUP}, {SIGHUP, SIGHUP, SIGINT}};
  for (const std::vector<int>& several : cases) {
    const int status = status_of_process([&] {
      SignalStop signals;
      for (const int each : several) ::raise(each);
      return stops_within(signals.token(), milliseconds(10'000)) ? 0 : 1;
    });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

TEST(SignalStopTest, AClosedPipeIsAnErrorOfWrite) {
  const int status = status_of_process([] {
    SignalStop signals;
    int ends[2];
    if (::pipe(ends) != 0) return 1;
    ::close(ends[0]);
    return ::write(ends[1], "x", 1) < 0 && errno == EPIPE ? 0 : 2;
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(SignalStopTest, IgnoredSignalsStayIgnored) {
  for (const int ignored : kStopSignals) {
    const int status = status_of_process([&] {
      ::signal(ignored, SIG_IGN);
      SignalStop signals;
      ::raise(ignored);
      if (stops_within(signals.token(), milliseconds(50))) return 1;
      ::raise(ignored == SIGTERM ? SIGINT : SIGTERM);
      ::raise(ignored);  // also after another one
      return stops_within(signals.token(), milliseconds(10'000)) ? 0 : 2;
    });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

TEST(SignalStopTest, EndingItPutsTheOldActionsBackWithoutAStop) {
  const int status = status_of_process([] {
    std::stop_token token;
    {
      SignalStop signals;
      token = signals.token();
    }
    if (token.stop_requested()) return 1;
    SignalStop again;  // there may be another one afterwards
    struct sigaction pipe_action{};
    ::sigaction(SIGPIPE, nullptr, &pipe_action);
    return pipe_action.sa_handler == SIG_IGN ? 0 : 2;
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  const int killed = status_of_process([] {
    {
      SignalStop signals;
    }
    ::raise(SIGTERM);
    return 0;
  });
  EXPECT_TRUE(WIFSIGNALED(killed) && WTERMSIG(killed) == SIGTERM) << killed;
}

}  // namespace
}  // namespace kura::base
