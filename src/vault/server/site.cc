#include "vault/server/site.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/number.h"
#include "base/parallel.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "crypto/random.h"
#include "pki/enrolment_token.h"
#include "store/atomic_file.h"
#include "vault/registry/secret_file.h"

namespace kura::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::uint64_t kAddressLimit = 4096;  // bytes
constexpr std::size_t kOpenedAtOnce = 8;
constexpr std::uint64_t kClockFileLimit = 64;                                     // bytes
constexpr std::int64_t kServerLifetime = 20LL * 365 * 24 * 3600 * base::kSecond;  // machines trust the authority alone

Status make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return base::fail(Error::from_errno("cannot create " + path, errno));
}

// It may lie in a folder that its owner may not read, which then cannot be synced.
Status sync_name_of(const std::string& root) {
  Status status = store::posix_file_system().sync_folder(root + "/..");
  return !status && status.error().code() == ErrorCode::kDenied ? Status{} : status;
}

// What an earlier process was killed over may not be durable yet, and commits lean on all that is here.
Status make_durable(const std::string& root) {
  const base::UniqueFd folder(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder && ::syncfs(folder.get()) == 0) return {};
  return base::fail(Error::from_errno("cannot sync " + root, errno));
}

Status must_be_empty(const std::string& root) {
  std::error_code failed;
  if (std::filesystem::is_empty(root, failed) && !failed) return {};
  return base::fail(ErrorCode::kExists, fmt::format("{} is not empty", root), "choose a new folder for the vault");
}

// Empty where there is none.
Result<std::string> read_bucket(const std::string& root) {
  const auto read = store::posix_file_system().read_all(root + "/store", kAddressLimit);
  if (!read && read.error().code() == ErrorCode::kNotFound) return std::string();
  if (!read) return base::fail(read.error());
  const std::string_view text = base::as_text(*read);
  return std::string(text.substr(0, text.find('\n')));
}

// That there is such a bucket, that it locks as the address says, and that nothing else lies where the objects are to.
Status check_bucket(const std::string& bucket, const std::string& root, const std::stop_token& stop) {
  const std::string place = KURA_TRY(store::place_in_bucket(bucket, "config"));
  const auto objects = KURA_TRY(store::create_store(place, {.stop = stop, .vault_folder = root}));
  return objects->extend_locks(store::Kind::kConfig, {});
}

}  // namespace

Site::Site(std::string root, Keys keys, std::unique_ptr<Journal> journal, const SiteOptions& options,
           std::string bucket)
    : root_(std::move(root)),
      keys_(std::move(keys)),
      journal_(std::move(journal)),
      clock_(options.clock),
      space_(std::make_shared<Space>(Space::disk_of(root_), options.reserve)),
      bucket_(std::move(bucket)),
      stop_(options.stop) {}

Result<std::unique_ptr<Site>> Site::create(const std::string& root, const std::string& name,
                                           const std::vector<std::string>& reached_as, const SiteOptions& options,
                                           const std::string& bucket) {
  KURA_TRY(check_name(name, "a vault"));
  if (reached_as.empty())
    return base::fail(ErrorCode::kUsage, "a vault needs a name or address by which it is reached");
  KURA_TRY(make_folder(root));
  KURA_TRY(must_be_empty(root));
  if (!bucket.empty()) KURA_TRY(check_bucket(bucket, root, options.stop));
  const std::int64_t now = options.clock.wall();
  const pki::Authority authority = pki::Authority::create("Kuramori vault " + name, now);
  const pki::PrivateKey server_key = pki::PrivateKey::generate();
  const pki::Certificate certificate = KURA_TRY(authority.issue(
      pki::make_request(server_key, name),
      {.name = name, .use = pki::Use::kServer, .reached_as = reached_as, .now = now, .lifetime = kServerLifetime}));
  base::Key seed;
  crypto::fill_random(seed.writable());
  KURA_TRY(write_seed(root + "/vault.key", seed));
  KURA_TRY(write_secret(root + "/authority.key", authority.key().to_pem()));
  KURA_TRY(write_secret(root + "/authority.pem", authority.certificate().to_pem()));
  KURA_TRY(write_secret(root + "/server.key", server_key.to_pem()));
  KURA_TRY(write_secret(root + "/server.pem", certificate.to_pem()));
  if (!bucket.empty()) KURA_TRY(store::write_small_file(root + "/store", base::as_bytes(bucket + "\n")));
  KURA_TRY(make_folder(root + "/repositories"));
  // The journal comes last: with it the folder is a vault.
  KURA_TRY(Journal::create(root + "/journal", seed, name, now));
  KURA_TRY(sync_name_of(root));
  return open(root, options);
}

Result<Site::Keys> Site::read_keys(const std::string& root) {
  const base::Key seed = KURA_TRY(read_seed(root + "/vault.key"));
  const pki::Authority authority = KURA_TRY(pki::Authority::open(KURA_TRY(read_secret(root + "/authority.key")),
                                                                 KURA_TRY(read_secret(root + "/authority.pem"))));
  const pki::PrivateKey server_key = KURA_TRY(pki::PrivateKey::from_pem(KURA_TRY(read_secret(root + "/server.key"))));
  const pki::Certificate certificate =
      KURA_TRY(pki::Certificate::from_pem(KURA_TRY(read_secret(root + "/server.pem"))));
  return Keys{.authority = authority, .server_key = server_key, .server_certificate = certificate, .seed = seed};
}

Result<std::unique_ptr<Site>> Site::open(const std::string& root, const SiteOptions& options) {
  if (::access((root + "/journal").c_str(), F_OK) != 0) {
    return base::fail(ErrorCode::kNotFound, fmt::format("{} is not a vault", root),
                      fmt::format("make one with `kura-vault init {}`", root));
  }
  Keys keys = KURA_TRY(read_keys(root));
  auto journal = KURA_TRY(Journal::open(root + "/journal", keys.seed));
  KURA_TRY(make_durable(root));
  std::unique_ptr<Site> site(new Site(root, std::move(keys), std::move(journal), options, KURA_TRY(read_bucket(root))));
  KURA_TRY(site->load(options));
  return site;
}

Status Site::load(const SiteOptions& options) {
  database_ =
      KURA_TRY(Database::open({.address = options.database.empty() ? root_ + "/derived.sqlite" : options.database,
                               .seed = keys_.seed,
                               .owner = journal_->vault(),
                               .told = options.database_told}));
  registry_ = KURA_TRY(Registry::open(*journal_));
  operators_ = KURA_TRY(Operators::open(*journal_));
  followings_ = KURA_TRY(Followings::open(*journal_));
  bool was_in_doubt = false;
  {
    const base::MutexLock lock(mutex_);
    KURA_TRY(journal_->for_each([&](const Entry& entry, base::ByteSpan) KURA_REQUIRES(mutex_) { take(entry); }));
    was_in_doubt = doubt_noted_;
  }
  open_holdings();
  clock_.saw(journal_->head().time);
  for (const Holding* holding : holdings()) clock_.saw(holding->journal().head().time);
  if (const auto noted = store::posix_file_system().read_all(root_ + "/clock", kClockFileLimit)) {
    const std::string_view text = base::as_text(*noted);
    clock_.saw(base::parse_number<std::int64_t>(text.substr(0, text.find('\n'))).value_or(0));
  }
  clock_.start(was_in_doubt);
  (void)note_time();  // a full disk is no reason not to serve what is here; the next round tries again
  return {};
}

void Site::take(const Entry& entry) {
  const Event& event = entry.event;
  if (event.type == EventType::kClockDoubt) doubt_noted_ = true;
  if (event.type == EventType::kClockTrust) doubt_noted_ = false;
  if (event.type == EventType::kCustomer) {
    customers_[event.text] = event.bytes;
    space_->set_customer_quota(event.text, event.bytes);
  }
}

Status Site::write(Event event) {
  const Receipt receipt = KURA_TRY(journal_->append(std::move(event), now()));
  take(KURA_TRY(Entry::decode(receipt.entry)));
  return {};
}

Status Site::note_time() {
  const base::MutexLock lock(mutex_);
  const std::optional<std::string> doubt = clock_.doubt();
  if (doubt && !doubt_noted_) KURA_TRY(write({.type = EventType::kClockDoubt, .text = *doubt}));
  const std::string text = std::to_string(now()) + "\n";
  return store::write_small_file(root_ + "/clock", base::as_bytes(text));
}

Status Site::trust_clock(const std::string& who, const std::string& why) {
  const base::MutexLock lock(mutex_);
  KURA_TRY(write({.type = EventType::kClockTrust, .who = who, .text = why}));
  clock_.trust();
  return {};
}

Status Site::set_customer_quota(const std::string& customer, std::uint64_t bytes, const std::string& who) {
  KURA_TRY(check_name(customer, "a customer"));
  const base::MutexLock lock(mutex_);
  return write({.type = EventType::kCustomer, .who = who, .text = customer, .bytes = bytes});
}

std::map<std::string, std::uint64_t> Site::customer_quotas() {
  const base::MutexLock lock(mutex_);
  return customers_;
}

Result<Surroundings> Site::surroundings_of(const std::string& repository) const {
  Surroundings all{.space = space_, .database = database_, .bucket = {}, .stop = stop_};
  if (!bucket_.empty()) all.bucket = KURA_TRY(store::place_in_bucket(bucket_, repository));
  return all;
}

Result<std::unique_ptr<Holding>> Site::open_holding(const std::string& name) {
  return Holding::open(folder_of(name), keys_.seed, [this] { return now(); }, KURA_TRY(surroundings_of(name)));
}

// Several at once: with a bucket it is mostly waiting.
void Site::open_holdings() {
  std::vector<std::string> names;
  std::error_code failed;
  std::filesystem::directory_iterator it(root_ + "/repositories", failed), end;
  for (; !failed && it != end; it.increment(failed)) {
    const std::string name = it->path().filename().string();
    if (check_name(name, "a repository")) names.push_back(name);
  }
  (void)base::each_on_threads(names.size(), kOpenedAtOnce, [&](std::size_t i) -> Status {
    auto opened = open_holding(names[i]);
    const base::MutexLock lock(mutex_);
    holdings_.insert_or_assign(names[i], std::move(opened));
    return {};
  });
}

void Site::try_closed_again() {
  if (bucket_.empty()) return;
  for (const auto& [name, why] : closed()) {
    auto opened = open_holding(name);
    if (!opened) continue;
    const base::MutexLock lock(mutex_);
    holdings_.insert_or_assign(name, std::move(opened));
  }
}

Status Site::make_holding(const std::string& name) {
  const base::MutexLock lock(mutex_);
  const auto at = holdings_.find(name);
  // Without a journal it is what a crash left of making it.
  const bool is_half_made = at != holdings_.end() && !at->second && at->second.error().code() == ErrorCode::kNotFound;
  if (at != holdings_.end() && !is_half_made) return {};
  holdings_.insert_or_assign(
      name, KURA_TRY(Holding::create(
                folder_of(name), name, keys_.seed, [this] { return now(); }, KURA_TRY(surroundings_of(name)))));
  return {};
}

Result<std::string> Site::invite(const Member& member, std::int64_t lifetime) {
  if (member.role == Role::kMachine) KURA_TRY(hold(member.repository));
  const base::Bytes secret = KURA_TRY(registry_->invite(member, now(), now() + lifetime));
  return pki::EnrolmentToken{.authority = authority().certificate().fingerprint(), .secret = base::Secret<16>(secret)}
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

Result<Holding*> Site::hold(const std::string& name) {
  KURA_TRY(check_name(name, "a repository"));
  KURA_TRY(make_holding(name));
  return holding(name);
}

std::map<std::string, base::Error> Site::closed() {
  const base::MutexLock lock(mutex_);
  std::map<std::string, base::Error> closed;
  for (const auto& [name, holding] : holdings_) {
    if (!holding) closed.emplace(name, holding.error());
  }
  return closed;
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
