#include "vault/holding/space.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/human.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::human_size;

constexpr std::uint64_t kReservePart = 20;              // of the disk, one in this many
constexpr std::uint64_t kMostReserve = 50'000'000'000;  // bytes

std::unexpected<base::Error> beyond_quota(const std::string& whose, std::uint64_t quota, std::uint64_t used,
                                          std::uint64_t bytes, const std::string& command) {
  return base::fail(ErrorCode::kNoSpace,
                    fmt::format("{} would go beyond its quota of {}: {} are used, and {} were to come", whose,
                                human_size(quota), human_size(used), human_size(bytes)),
                    fmt::format("ask the vault's operator, who may look for a flood, or raise it with `{}`", command));
}

}  // namespace

Claim::Claim(std::shared_ptr<Space> space, std::string repository, std::uint64_t bytes)
    : space_(std::move(space)), repository_(std::move(repository)), bytes_(bytes) {}

Claim::Claim(Claim&& other) noexcept
    : space_(std::exchange(other.space_, nullptr)), repository_(std::move(other.repository_)), bytes_(other.bytes_) {}

Claim& Claim::operator=(Claim&& other) noexcept {
  if (this == &other) return *this;
  end(false);
  space_ = std::exchange(other.space_, nullptr);
  repository_ = std::move(other.repository_);
  bytes_ = other.bytes_;
  return *this;
}

void Claim::end(bool kept) {
  if (const auto space = std::exchange(space_, nullptr)) space->end(repository_, bytes_, kept);
}

Space::Space(Look look, std::optional<std::uint64_t> reserve) : look_(std::move(look)), reserve_(reserve) {}

Space::Look Space::disk_of(std::string folder) {
  return [folder = std::move(folder)]() -> base::Result<Disk> {
    struct statvfs status{};
    if (::statvfs(folder.c_str(), &status) != 0) {
      return base::fail(base::Error::from_errno("cannot see how full the disk of " + folder + " is", errno));
    }
    Disk disk{.free = status.f_bavail * status.f_frsize, .total = status.f_blocks * status.f_frsize};
    if (status.f_files != 0) {
      disk.least_cost = disk.total / status.f_files;
      disk.free = std::min<std::uint64_t>(disk.free, status.f_favail * disk.least_cost);
    }
    return disk;
  };
}

std::shared_ptr<Space> Space::unlimited() {
  constexpr std::uint64_t kMuch = std::numeric_limits<std::uint64_t>::max() / 4;
  return std::make_shared<Space>([]() -> base::Result<Disk> { return Disk{.free = kMuch, .total = kMuch}; }, 0);
}

void Space::set_used(const std::string& repository, std::uint64_t bytes) {
  const base::MutexLock lock(mutex_);
  accounts_[repository].used = bytes;
}

void Space::set_quota(const std::string& repository, std::uint64_t bytes, const std::string& customer) {
  const base::MutexLock lock(mutex_);
  accounts_[repository].quota = bytes;
  accounts_[repository].customer = customer;
}

void Space::set_customer_quota(const std::string& customer, std::uint64_t bytes) {
  const base::MutexLock lock(mutex_);
  customers_[customer] = bytes;
}

std::uint64_t Space::used(const std::string& repository) const {
  const base::MutexLock lock(mutex_);
  const auto at = accounts_.find(repository);
  return at == accounts_.end() ? 0 : at->second.used;
}

base::Status Space::within_quotas(const std::string& repository, std::uint64_t bytes) const {
  const Account& account = accounts_.at(repository);
  const std::uint64_t used = account.used + account.pending;
  if (account.quota != 0 && used + bytes > account.quota) {
    return beyond_quota("the repository " + repository, account.quota, used, bytes,
                        fmt::format("kura-vault policy {} ... quota=SIZE", repository));
  }
  const auto customer = customers_.find(account.customer);
  if (customer == customers_.end() || customer->second == 0) return {};
  std::uint64_t together = 0;
  for (const auto& [name, other] : accounts_) {
    if (other.customer == account.customer) together += other.used + other.pending;
  }
  if (together + bytes <= customer->second) return {};
  return beyond_quota("the customer " + account.customer, customer->second, together, bytes,
                      fmt::format("kura-vault customer {} --quota SIZE", account.customer));
}

base::Status Space::within_disk(const std::string& repository, std::uint64_t bytes) {
  const Disk disk = KURA_TRY(look_());
  const std::uint64_t reserve = reserve_.value_or(std::min(disk.total / kReservePart, kMostReserve));
  Account& account = accounts_.at(repository);
  const std::uint64_t cost = std::max(bytes, disk.least_cost);
  std::uint64_t pending = cost;
  for (const auto& [name, other] : accounts_) pending += other.pending;
  const std::uint64_t left = disk.free > pending ? disk.free - pending : 0;
  if (left >= reserve) {
    account.from_reserve = 0;
    return {};
  }
  const std::uint64_t share = reserve / std::max<std::size_t>(accounts_.size(), 1);
  if (left > 0 && account.from_reserve + cost <= share) {
    account.from_reserve += cost;
    return {};
  }
  return base::fail(ErrorCode::kNoSpace,
                    fmt::format("the vault's disk is nearly full ({} free), and the repository {} has had its share of "
                                "the last {}",
                                human_size(disk.free), repository, human_size(reserve)),
                    "ask the vault's operator for room; what is stored already is safe");
}

base::Result<Claim> Space::claim(const std::string& repository, std::uint64_t bytes) {
  const base::MutexLock lock(mutex_);
  accounts_.try_emplace(repository);
  KURA_TRY(within_quotas(repository, bytes));
  KURA_TRY(within_disk(repository, bytes));
  accounts_.at(repository).pending += bytes;
  return Claim(shared_from_this(), repository, bytes);
}

void Space::end(const std::string& repository, std::uint64_t bytes, bool kept) {
  const base::MutexLock lock(mutex_);
  Account& account = accounts_.at(repository);
  account.pending -= bytes;
  if (kept) account.used += bytes;
}

void Space::came_back(const std::string& repository, std::uint64_t bytes) {
  const base::MutexLock lock(mutex_);
  accounts_[repository].used += bytes;
}

void Space::released(const std::string& repository, std::uint64_t bytes) {
  const base::MutexLock lock(mutex_);
  Account& account = accounts_.at(repository);
  account.used -= std::min(account.used, bytes);
}

}  // namespace kura::vault
