#include "vault/pull/puller.h"

#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/pause.h"
#include "store/atomic_file.h"
#include "store/vault_enrolment.h"
#include "vault/registry/registry.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;

// A folder that goes when nobody needs it any more.
struct ScratchFolder {
  std::string path;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

// What was made in `scratch` in place of what a vault of that name was shown before.
Status keep_identity(const std::string& scratch, const std::string& folder) {
  store::FileSystem& files = store::posix_file_system();
  KURA_TRY(files.make_folder(folder));
  const store::http::Identity made = store::vault::identity_in(scratch), kept = store::vault::identity_in(folder);
  KURA_TRY(files.rename(made.certificate, kept.certificate));
  KURA_TRY(files.rename(made.authority, kept.authority));
  return files.sync_folder(folder + "/.");
}

}  // namespace

Puller::Puller(Followings& followings, Home home, PullOptions options)
    : followings_(followings), home_(std::move(home)), options_(std::move(options)), pace_(options_.rate) {}

Puller::~Puller() {
  std::map<std::string, Worker> workers;
  {
    const base::MutexLock lock(mutex_);
    workers.swap(workers_);
  }
  for (auto& [name, worker] : workers) worker.thread.request_stop();
}

VaultFollower& Puller::follower_of(const std::string& name) {
  Worker& worker = workers_[name];
  if (!worker.follower) {
    worker.follower = std::make_unique<VaultFollower>(name, followings_, home_, options_, pace_);
  }
  return *worker.follower;
}

void Puller::work_on_all() {
  for (const Following& vault : followings_.all()) {
    VaultFollower& follower = follower_of(vault.name);
    Worker& worker = workers_[vault.name];
    if (worker.thread.joinable()) continue;
    worker.thread =
        std::jthread([this, name = vault.name, &follower](const std::stop_token& stop) { run(name, follower, stop); });
  }
}

void Puller::start() {
  const base::MutexLock lock(mutex_);
  runs_ = true;
  work_on_all();
}

// One that is not followed any more waits for the case that it is again.
void Puller::run(const std::string& name, VaultFollower& follower, const std::stop_token& stop) {
  do {
    if (!followings_.find(name)) continue;
    const auto counts = follower.round(stop);
    if (!counts && !stop.stop_requested()) home_.problem(name, counts.error());
  } while (base::pause_for(options_.pause, stop));
}

Result<PullCounts> Puller::round(const std::stop_token& stop) {
  PullCounts all;
  std::optional<base::Error> first;
  for (const Following& vault : followings_.all()) {
    VaultFollower* follower = nullptr;
    {
      const base::MutexLock lock(mutex_);
      follower = &follower_of(vault.name);
    }
    const auto counts = follower->round(stop);
    if (counts) {
      all += *counts;
    } else if (!first) {
      first = counts.error();
    }
  }
  if (first) return base::fail(*std::move(first));
  return all;
}

Result<Following> Puller::follow(const std::string& address_text, const std::string& token, const std::string& name,
                                 const std::optional<crypto::PublicKey>& key, const std::stop_token& stop) {
  const auto address = KURA_TRY(store::vault::parse_address(address_text, /*needs_name=*/false));
  if (!name.empty()) KURA_TRY(check_name(name, "a vault"));
  KURA_TRY(store::posix_file_system().make_folder(home_.identities));
  const ScratchFolder scratch{home_.identities + "/." + store::temporary_name()};
  KURA_TRY(store::vault::enrol(address, token, scratch.path, stop));
  Pace at_once{RateSchedule()};
  const auto source = KURA_TRY(Source::open(address, scratch.path, at_once, options_.patience, stop));
  const auto card = source->card();
  if (!card) return base::fail(card.error().error);
  if (key && *key != card->key) {
    return base::fail(ErrorCode::kDenied,
                      fmt::format("the vault says that its journals are signed by {}, which is another key than given",
                                  base::to_hex(card->key)),
                      "compare it with what `kura-vault init` showed there");
  }
  const Following following{.name = name.empty() ? card->name : name,
                            .address = {.host = address.host, .port = address.port, .repository = {}},
                            .key = card->key};
  KURA_TRY(followings_.add(following, home_.now()));
  KURA_TRY(keep_identity(scratch.path, home_.identities + "/" + following.name));
  const base::MutexLock lock(mutex_);
  if (runs_) work_on_all();
  return following;
}

Status Puller::unfollow(const std::string& name, const std::string& why) {
  return followings_.remove(name, why, home_.now());
}

Result<std::vector<std::string>> Puller::accept(const std::string& name, const std::string& repository,
                                                const std::string& who, const std::string& why) {
  const auto vault = followings_.find(name);
  if (!vault) return base::fail(ErrorCode::kNotFound, fmt::format("no vault {} is followed", base::printable(name)));
  std::vector<std::string> accepted;
  for (Holding* holding : home_.holdings()) {
    if (!repository.empty() && holding->name() != repository) continue;
    const Status done = accept_followed(VaultFollower::followed(*vault, *holding, home_), who, why);
    if (!done && done.error().code() != ErrorCode::kNotFound) return base::fail(done.error());
    if (done) accepted.push_back(holding->name());
  }
  if (!accepted.empty()) return accepted;
  return base::fail(ErrorCode::kNotFound, fmt::format("nothing of {} stopped: there is nothing to accept", name));
}

std::vector<FollowedVault> Puller::status() const {
  const base::MutexLock lock(mutex_);
  std::vector<FollowedVault> all;
  for (const Following& vault : followings_.all()) {
    const auto worker = workers_.find(vault.name);
    all.push_back(
        {.vault = vault,
         .repositories = worker == workers_.end() ? std::vector<FollowedState>() : worker->second.follower->status()});
  }
  return all;
}

}  // namespace kura::vault
