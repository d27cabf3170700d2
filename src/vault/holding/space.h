// How much may come in: a quota a repository, one a customer, and a reserve of the disk that no flood takes from
// others.
//
// When the disk has less than the reserve left, each repository may take its share of the reserve and no more: the
// reserve divided by the number of repositories. So whoever floods the vault fills what is free and his own share; the
// backups of the others go on in theirs.
//
//   auto space = std::make_shared<Space>(Space::of_folder("/srv/vault", reserve));
//   Claim claim = KURA_TRY(space->claim("office", size));    // before anything is written
//   claim.kept();                                            // it was; otherwise the claim ends with the object
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/mutex.h"

namespace kura::vault {

class Space;

// Room that was promised. Move-only.
class Claim {
 public:
  Claim() = default;
  Claim(Claim&& other) noexcept;
  Claim& operator=(Claim&& other) noexcept;
  ~Claim() { end(false); }
  // The bytes are there now, and count as used.
  void kept() { end(true); }

 private:
  friend class Space;
  Claim(std::shared_ptr<Space> space, std::string repository, std::uint64_t bytes);
  void end(bool kept);

  std::shared_ptr<Space> space_;
  std::string repository_;
  std::uint64_t bytes_ = 0;
};

// Shared by threads. Held by std::shared_ptr.
class Space : public std::enable_shared_from_this<Space> {
 public:
  struct Disk {
    std::uint64_t free = 0;        // bytes, for this user
    std::uint64_t total = 0;       // bytes
    std::uint64_t least_cost = 0;  // bytes that a file takes at least: of the disk, for each file that it can hold
  };
  using Look = std::function<base::Result<Disk>()>;

  // `reserve`: bytes; nothing: a twentieth of the disk, at most 50 GB.
  explicit Space(Look look, std::optional<std::uint64_t> reserve = std::nullopt);
  // Of the disk that `folder` is on (statvfs).
  static Look disk_of(std::string folder);
  // Without limits: where nobody else's bytes come in.
  static std::shared_ptr<Space> unlimited();

  // What a repository holds, and may hold; 0: no quota. `customer` may be empty.
  void set_used(const std::string& repository, std::uint64_t bytes);
  void set_quota(const std::string& repository, std::uint64_t bytes, const std::string& customer);
  void set_customer_quota(const std::string& customer, std::uint64_t bytes);

  // kNoSpace, saying which of the limits and what to do.
  base::Result<Claim> claim(const std::string& repository, std::uint64_t bytes);
  // What was here before and is so again: no limit keeps it out.
  void came_back(const std::string& repository, std::uint64_t bytes);
  void released(const std::string& repository, std::uint64_t bytes);
  std::uint64_t used(const std::string& repository) const;

 private:
  friend class Claim;
  struct Account {
    std::uint64_t used = 0, pending = 0;  // bytes
    std::uint64_t from_reserve = 0;       // bytes, since the disk had more than the reserve
    std::uint64_t quota = 0;
    std::string customer;
  };
  base::Status within_quotas(const std::string& repository, std::uint64_t bytes) const KURA_REQUIRES(mutex_);
  base::Status within_disk(const std::string& repository, std::uint64_t bytes) KURA_REQUIRES(mutex_);
  void end(const std::string& repository, std::uint64_t bytes, bool kept);

  const Look look_;
  const std::optional<std::uint64_t> reserve_;
  mutable base::Mutex mutex_;
  std::map<std::string, Account> accounts_ KURA_GUARDED_BY(mutex_);
  std::map<std::string, std::uint64_t> customers_ KURA_GUARDED_BY(mutex_);  // their quotas
};

}  // namespace kura::vault
