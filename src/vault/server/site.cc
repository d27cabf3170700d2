#include "vault/server/site.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/time.h"
#include "crypto/random.h"
#include "pki/enrolment_token.h"
#include "store/atomic_file.h"

namespace kura::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::uint64_t kKeyFileLimit = 64U << 10;                                // bytes
constexpr std::int64_t kServerLifetime = 20LL * 365 * 24 * 3600 * base::kSecond;  // machines trust the authority alone

Status write_secret(const std::string& path, std::string_view text) {
  const base::ByteSpan parts[] = {base::as_bytes(text)};
  return store::write_atomically(store::posix_file_system(), path + ".new", path, parts);
}

// Of a file that nobody else may read.
Result<std::string> read_secret(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return base::fail(Error::from_errno("cannot read " + path, errno));
  if ((status.st_mode & 077) != 0) {
    return base::fail(ErrorCode::kDenied, fmt::format("others may read {}", path),
                      fmt::format("run `chmod go= {}`, and make a new vault if somebody may have read it", path));
  }
  const base::Bytes bytes = KURA_TRY(store::posix_file_system().read_all(path, kKeyFileLimit));
  return std::string(base::as_text(bytes));
}

Result<base::Key> read_seed(const std::string& path) {
  const std::string text = KURA_TRY(read_secret(path));
  const auto bytes = base::from_hex(std::string_view(text).substr(0, text.find('\n')));
  if (!bytes || bytes->size() != 32) return base::fail(ErrorCode::kDamaged, path + " is not a vault's key");
  return base::Key(*bytes);
}

Status make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return base::fail(Error::from_errno("cannot create " + path, errno));
}

Status must_be_empty(const std::string& root) {
  std::error_code failed;
  if (std::filesystem::is_empty(root, failed) && !failed) return {};
  return base::fail(ErrorCode::kExists, fmt::format("{} is not empty", root), "choose a new folder for the vault");
}

}  // namespace

Site::Site(std::string root, pki::Authority authority, pki::PrivateKey server_key, pki::Certificate server_certificate,
           base::Key seed, std::unique_ptr<Journal> journal, std::unique_ptr<Registry> registry, Clock clock)
    : root_(std::move(root)),
      authority_(std::move(authority)),
      server_key_(std::move(server_key)),
      server_certificate_(std::move(server_certificate)),
      seed_(seed),
      journal_(std::move(journal)),
      registry_(std::move(registry)),
      clock_(std::move(clock)) {}

Result<std::unique_ptr<Site>> Site::create(const std::string& root, const std::string& name,
                                           const std::vector<std::string>& reached_as, Clock clock) {
  KURA_TRY(check_name(name, "a vault"));
  if (reached_as.empty())
    return base::fail(ErrorCode::kUsage, "a vault needs a name or address by which it is reached");
  KURA_TRY(make_folder(root));
  KURA_TRY(must_be_empty(root));
  const std::int64_t now = clock();
  const pki::Authority authority = pki::Authority::create("Kuramori vault " + name, now);
  const pki::PrivateKey server_key = pki::PrivateKey::generate();
  const pki::Certificate certificate = KURA_TRY(authority.issue(
      pki::make_request(server_key, name),
      {.name = name, .use = pki::Use::kServer, .reached_as = reached_as, .now = now, .lifetime = kServerLifetime}));
  base::Key seed;
  crypto::fill_random(seed.writable());
  KURA_TRY(write_secret(root + "/vault.key", base::to_hex(seed.span()) + "\n"));
  KURA_TRY(write_secret(root + "/authority.key", authority.key().to_pem()));
  KURA_TRY(write_secret(root + "/authority.pem", authority.certificate().to_pem()));
  KURA_TRY(write_secret(root + "/server.key", server_key.to_pem()));
  KURA_TRY(write_secret(root + "/server.pem", certificate.to_pem()));
  KURA_TRY(make_folder(root + "/repositories"));
  // The journal comes last: with it the folder is a vault.
  KURA_TRY(Journal::create(root + "/journal", seed, name, now));
  return open(root, std::move(clock));
}

Result<std::unique_ptr<Site>> Site::open(const std::string& root, Clock clock) {
  if (::access((root + "/journal").c_str(), F_OK) != 0) {
    return base::fail(ErrorCode::kNotFound, fmt::format("{} is not a vault", root),
                      fmt::format("make one with `kura-vault init {}`", root));
  }
  const base::Key seed = KURA_TRY(read_seed(root + "/vault.key"));
  const pki::Authority authority = KURA_TRY(pki::Authority::open(KURA_TRY(read_secret(root + "/authority.key")),
                                                                 KURA_TRY(read_secret(root + "/authority.pem"))));
  const pki::PrivateKey server_key = KURA_TRY(pki::PrivateKey::from_pem(KURA_TRY(read_secret(root + "/server.key"))));
  const pki::Certificate certificate =
      KURA_TRY(pki::Certificate::from_pem(KURA_TRY(read_secret(root + "/server.pem"))));
  auto journal = KURA_TRY(Journal::open(root + "/journal", seed));
  auto registry = KURA_TRY(Registry::open(*journal));
  std::unique_ptr<Site> site(new Site(root, authority, server_key, certificate, seed, std::move(journal),
                                      std::move(registry), std::move(clock)));
  site->open_holdings();
  return site;
}

void Site::open_holdings() {
  const base::MutexLock lock(mutex_);
  std::error_code failed;
  std::filesystem::directory_iterator it(root_ + "/repositories", failed), end;
  for (; !failed && it != end; it.increment(failed)) {
    const std::string name = it->path().filename().string();
    if (check_name(name, "a repository")) holdings_.emplace(name, Holding::open(folder_of(name), seed_, clock_));
  }
}

Status Site::make_holding(const std::string& name) {
  const base::MutexLock lock(mutex_);
  if (holdings_.contains(name)) return {};
  holdings_.emplace(name, KURA_TRY(Holding::create(folder_of(name), name, seed_, clock_)));
  return {};
}

Result<std::string> Site::invite(const Member& member, std::int64_t lifetime) {
  KURA_TRY(check_name(member.repository, "a repository"));
  KURA_TRY(make_holding(member.repository));
  const base::Bytes secret = KURA_TRY(registry_->invite(member, now(), now() + lifetime));
  return pki::EnrolmentToken{.authority = authority_.certificate().fingerprint(), .secret = base::Secret<16>(secret)}
      .encode();
}

Result<Holding*> Site::holding(const std::string& name) {
  const base::MutexLock lock(mutex_);
  const auto at = holdings_.find(name);
  if (at == holdings_.end()) {
    return base::fail(ErrorCode::kNotFound, fmt::format("this vault has no repository {}", name));
  }
  if (!at->second) return base::fail(at->second.error());
  return at->second->get();
}

std::vector<Holding*> Site::holdings() {
  const base::MutexLock lock(mutex_);
  std::vector<Holding*> all;
  for (const auto& [name, holding] : holdings_) {
    if (holding) all.push_back(holding->get());
  }
  return all;
}

}  // namespace kura::vault
