// What is done against an attacker, from the mildest to the hardest, and how it is taken back.
//
//   freeze           always and at once, when an incident opens: whoever listens (OnIncident), the command of
//   --on-incident slow down        what the actor opens waits for the judgement of what he changed (watch/opens.h)
//   refuse opens     from here on only on proof by content
//   Samba's client   its address is dropped by nftables, its connections are reset, smbd ends its sessions
//   local processes  are stopped (SIGSTOP), by pidfd: never another process that got the same number
//
// Everything is in the incident's file; `kura guard undo` takes it back from there, also when no guard runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "guard/contain/incident.h"

namespace kura::guard {

// Told of each incident when it opens and when its actor is contained, on a thread where it may take its time. A vault
// that freezes retention is one.
class OnIncident {
 public:
  OnIncident() = default;
  OnIncident(const OnIncident&) = delete;
  OnIncident& operator=(const OnIncident&) = delete;
  virtual ~OnIncident() = default;
  // In words what was done ("retention of office is frozen"), or why not. It is tried again after an error.
  virtual base::Result<std::string> on_incident(const Incident& incident, const std::stop_token& stop) = 0;
};

// Runs a program with the incident's JSON on its standard input. No shell reads the words.
class IncidentCommand final : public OnIncident {
 public:
  explicit IncidentCommand(std::vector<std::string> words) : words_(std::move(words)) {}
  base::Result<std::string> on_incident(const Incident& incident, const std::stop_token& stop) override;

 private:
  std::vector<std::string> words_;
};

struct CutSettings {
  std::string samba_config;                       // smb.conf, where it is not the usual one
  std::vector<std::uint16_t> ports = {445, 139};  // of Samba
  std::chrono::hours block{24};                   // the kernel forgets the address then
};

// Samba's client. Steps that failed are in the list, too, with the reason.
std::vector<Step> cut_client(const std::string& address, const CutSettings& settings, const std::stop_token& stop);
// smbd's processes of a client end, as if he had logged off, within a millisecond or so; the one that waits for clients
// does not. The client may come back: cut_client() prevents that.
std::vector<Step> end_sessions(const std::vector<ProcessId>& processes);
// Each process of the list that is still the same one.
std::vector<Step> stop_processes(const std::vector<ProcessId>& processes);

// Takes the steps back; what cannot be is told in words.
std::vector<std::string> take_back(const Incident& incident);

inline constexpr std::string_view kGuardTable = "inet kuramori_guard";
// Commands of nft, made of parsed values only.
std::string blocking(const std::string& address, bool v4, const CutSettings& settings);
std::string unblocking(const std::string& address, bool v4);

}  // namespace kura::guard
