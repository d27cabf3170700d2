// Finds for each file the newest version that is whole: the walk through the snapshots behind recovery_plan.h.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "archive/repo/chunk_index.h"
#include "archive/repo/pack_reader.h"
#include "archive/repo/repository.h"
#include "archive/restore/diff.h"
#include "archive/restore/recovery_plan.h"
#include "archive/restore/renamed_files.h"
#include "archive/restore/second_look.h"

namespace kura::archive {

class RecoveryPlanner {
 public:
  // All outlive it. `plan` has its snapshots and its clean point; its files are filled in.
  RecoveryPlanner(const Repository& repository, const RecoveryRequest& request, RecoveryPlan& plan,
                  std::vector<DamagedObject>& damaged, const std::stop_token& stop)
      : repository_(repository), path_(request.path), plan_(plan), damaged_(damaged), stop_(stop) {
    if (request.judge != nullptr) second_look_.emplace(*request.judge, request.compared);
  }

  base::Status run();

 private:
  // A snapshot that is being read.
  struct OpenSnapshot {
    ChunkIndex index;
    std::unique_ptr<PackReader> reader;  // of `index`, whose address stays
  };
  struct Version {
    std::size_t snapshot = 0;  // that has it: its place in the plan
    Entry entry;
  };

  base::Result<OpenSnapshot*> open(std::size_t number);
  base::Result<std::optional<Entry>> find(std::size_t number, const std::string& path);
  void close_but_needed(std::size_t older);
  bool is_wanted(const std::string& path) const;
  bool is_settled(const std::string& path) const { return whole_.contains(path) || gone_.contains(path); }

  base::Status plan_from_clean();
  base::Result<bool> find_earlier_attack();
  base::Result<bool> has_attack(std::size_t older);

  base::Status read_newest();
  base::Status compare(std::size_t older);
  base::Status compare_trees(std::size_t older, const std::function<base::Status(const Difference&)>& visit);
  base::Result<std::string> evidence_against(const Difference& difference, std::size_t older, std::size_t newer);
  base::Status unmask(Difference& difference, std::string evidence);
  base::Status take(const Difference& difference, std::size_t older);
  base::Result<bool> was_usable(const Difference& difference, std::size_t older);
  void take_came(const Difference& difference, std::size_t newer);
  base::Status look_further_back();

  base::Status find_only_renamed(std::map<std::string, GoneFileVersion>& gone);
  base::Status find_hidden(const std::map<std::string, GoneFileVersion>& gone);
  base::Status match_renamed();
  bool is_made_by_the_attack(const std::string& path) const;
  void add_all();
  void add(const std::string& path, RecoveredFile file);

  const Repository& repository_;
  const std::string path_;
  RecoveryPlan& plan_;
  std::vector<DamagedObject>& damaged_;
  const std::stop_token& stop_;
  std::optional<SecondLook> second_look_;
  std::map<std::size_t, std::unique_ptr<OpenSnapshot>> open_;
  std::map<std::string, Entry> broken_;   // in the newest snapshot
  std::map<std::string, Version> whole_;  // of those, the newest version that is whole
  std::map<std::string, Version> gone_;   // not in the newest snapshot: the newest version that was whole
  std::map<std::string, CameFile> came_;  // since the clean point
  std::map<std::string, Entry> made_;     // by the attack of what is gone, in the newest snapshot
  std::set<std::string> only_renamed_;    // by the attack, and as they were
  RenamedFiles renamed_;
};

}  // namespace kura::archive
