#include "guard/contain/ladder.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/time.h"
#include "base/unique_fd.h"
#include "door/address.h"
#include "door/connections.h"
#include "door/firewall.h"
#include "guard/actors/process.h"
#include "guard/system/command.h"

namespace kura::guard {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::chrono::seconds kPatience{30};

Step step_of(std::string what, const Result<std::string>& result) {
  return {std::move(what), result.has_value(), result ? *result : result.error().text(), base::now_ns(), {}};
}

Result<std::string> block(const door::Address& address, const CutSettings& settings) {
  door::Firewall firewall;
  KURA_TRY(firewall.run(blocking(address.text(), address.is_v4(), settings)));
  return fmt::format("{} is dropped for {} h", address.text(), settings.block.count());
}

Result<std::string> cut_connections_of(const door::Address& address, const CutSettings& settings) {
  std::size_t count = 0;
  for (const std::uint16_t port : settings.ports) count += KURA_TRY(door::cut_connections(port, address));
  return fmt::format("{} connections were reset", count);
}

Result<std::string> kill_client(const std::string& address, const CutSettings& settings, const std::stop_token& stop) {
  std::vector<std::string> words = {"smbcontrol"};
  if (!settings.samba_config.empty()) words.insert(words.end(), {"-s", settings.samba_config});
  words.insert(words.end(), {"smbd", "kill-client-ip", address});
  const Ran ran = KURA_TRY(run_command(words, {}, kPatience, stop));
  if (ran.code != 0) return base::fail(ErrorCode::kIo, fmt::format("smbcontrol ended with {}", ran.code));
  return "smbd ends the sessions of " + address;
}

// To the very process, or an error.
base::Status signal_process(const ProcessId& process, int signal) {
  const base::UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  // The descriptor names one process from now on; that it is the right one is looked at afterwards.
  if (!fd || start_of(process.pid) != process.started) {
    return base::fail(ErrorCode::kNotFound, fmt::format("process {} is gone", process.pid));
  }
  if (::syscall(SYS_pidfd_send_signal, fd.get(), signal, nullptr, 0) != 0) {
    return base::fail(base::Error::from_errno(fmt::format("cannot signal process {}", process.pid), errno));
  }
  return {};
}

}  // namespace

Result<std::string> IncidentCommand::on_incident(const Incident& incident, const std::stop_token& stop) {
  const Ran ran =
      KURA_TRY(run_command(words_, boost::json::serialize(to_json(incident)) + "\n", std::chrono::seconds(60), stop));
  if (ran.code != 0) return base::fail(ErrorCode::kIo, fmt::format("{} ended with {}", words_.front(), ran.code));
  return words_.front() + " was told";
}

std::string blocking(const std::string& address, bool v4, const CutSettings& settings) {
  const std::string ports = fmt::format("tcp dport {{ {} }}", fmt::join(settings.ports, ", "));
  return fmt::format(
             "add table {0}\n"
             "add set {0} cut4 {{ type ipv4_addr; flags timeout; size 4096; }}\n"
             "add set {0} cut6 {{ type ipv6_addr; flags timeout; size 4096; }}\n"
             "add chain {0} input {{ type filter hook input priority -20; policy accept; }}\n"
             "flush chain {0} input\n"
             "add rule {0} input {1} ip saddr @cut4 drop\n"
             "add rule {0} input {1} ip6 saddr @cut6 drop\n",
             kGuardTable, ports) +
         unblocking(address, v4) +
         fmt::format("add element {} cut{} {{ {} timeout {}h }}\n", kGuardTable, v4 ? 4 : 6, address,
                     settings.block.count());
}

std::string unblocking(const std::string& address, bool v4) {
  return fmt::format("add element {0} cut{1} {{ {2} }}\ndelete element {0} cut{1} {{ {2} }}\n", kGuardTable, v4 ? 4 : 6,
                     address);
}

std::vector<Step> cut_client(const std::string& text, const CutSettings& settings, const std::stop_token& stop) {
  std::vector<Step> steps;
  if (const auto address = door::Address::parse(text)) {
    steps.push_back(step_of("block_address", block(*address, settings)));
    steps.push_back(step_of("cut_connections", cut_connections_of(*address, settings)));
  } else {
    steps.push_back(step_of("block_address", base::fail(address.error())));
  }
  steps.push_back(step_of("kill_client", kill_client(text, settings, stop)));
  return steps;
}

std::vector<Step> end_sessions(const std::vector<ProcessId>& processes) {
  std::vector<Step> steps;
  for (const ProcessId& process : processes) {
    if (!serves_samba_client(process.pid)) continue;
    const auto ended = signal_process(process, SIGTERM);
    if (!ended && ended.error().code() == ErrorCode::kNotFound) continue;
    Result<std::string> told = fmt::format("smbd's process {} was told to end", process.pid);
    if (!ended) told = base::fail(ended.error());
    steps.push_back(step_of("end_session", told));
  }
  return steps;
}

std::vector<Step> stop_processes(const std::vector<ProcessId>& processes) {
  std::vector<Step> steps;
  for (const ProcessId& process : processes) {
    if (process.pid <= 1 || process.pid == ::getpid() || process.pid == ::getppid()) continue;
    const auto stopped = signal_process(process, SIGSTOP);
    if (!stopped && stopped.error().code() == ErrorCode::kNotFound) continue;
    Result<std::string> told = fmt::format("process {} is stopped", process.pid);
    if (!stopped) told = base::fail(stopped.error());
    steps.push_back(step_of("stop_process", told));
    steps.back().process = process;
  }
  return steps;
}

std::vector<std::string> take_back(const Incident& incident) {
  std::vector<std::string> problems;
  for (const Step& step : incident.steps) {
    if (!step.done) continue;
    if (step.what == "block_address") {
      const auto address = door::Address::parse(incident.actor.address);
      if (!address) continue;
      door::Firewall firewall;
      const auto done = firewall.run(unblocking(address->text(), address->is_v4()));
      if (!done && done.error().code() != ErrorCode::kNotFound) problems.push_back(done.error().text());
    } else if (step.what == "stop_process") {
      const auto done = signal_process(step.process, SIGCONT);
      if (!done && done.error().code() != ErrorCode::kNotFound) problems.push_back(done.error().text());
    }
  }
  return problems;
}

}  // namespace kura::guard
