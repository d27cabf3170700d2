#include "archive/upkeep/check_small_objects.h"

#include <utility>

#include "archive/format/config.h"
#include "archive/format/limits.h"
#include "archive/repo/condemned.h"

namespace kura::archive {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectInfo;

namespace {

// Every config object is whole. One that is somebody else's is no damage: nobody takes it for the one in force.
Status check_configs(store::Store& store, CheckFindings& findings, CheckSummary& summary) {
  for (const ObjectInfo& info : KURA_TRY(store.list(Kind::kConfig))) {
    ++summary.objects;
    const Result<base::Bytes> bytes = store.get(Kind::kConfig, info.id, kConfigLimit);
    const Result<Config> config = bytes ? Config::decode(*bytes) : Result<Config>(base::fail(bytes.error()));
    if (config) continue;
    if (!is_finding(store, config.error())) return base::fail(config.error());
    findings.add(Kind::kConfig, info.id, Error(config.error()).within("config " + info.id.hex()));
  }
  return {};
}

Status check_keys(const Repository& repository, CheckFindings& findings, CheckSummary& summary) {
  KeyList keys = KURA_TRY(repository.keys());
  summary.keys = keys.slots.size() + keys.machines.size();
  summary.objects += summary.keys + keys.damaged.size();
  for (DamagedObject& at : keys.damaged) {
    if (!is_finding(repository.store(), at.error)) return base::fail(std::move(at.error));
    findings.add(at.kind, at.id, std::move(at.error));
  }
  return {};
}

// Leases come and go; what is there is whole. What one says that cannot be read is nothing to anybody but its owner: it
// counts from when it came, and lapses.
Status check_leases(store::Store& store, CheckFindings& findings, CheckSummary& summary) {
  for (const ObjectInfo& info : KURA_TRY(store.list(Kind::kLease))) {
    ++summary.objects;
    const Result<base::Bytes> bytes = store.get(Kind::kLease, info.id, kLeaseLimit);
    if (bytes || bytes.error().code() == ErrorCode::kNotFound) continue;
    if (!is_finding(store, bytes.error())) return base::fail(bytes.error());
    findings.add(Kind::kLease, info.id, bytes.error());
  }
  return {};
}

// A list that cannot be read makes backups lean on less (repo/condemned.h).
Status check_condemned(store::Store& store, CheckFindings& findings, CheckSummary& summary) {
  for (const ObjectInfo& info : KURA_TRY(store.list(Kind::kCondemned))) {
    ++summary.objects;
    const Result<CondemnedObject> list = read_condemned_list(store, info.id);
    if (list || list.error().code() == ErrorCode::kNotFound) continue;
    if (!is_finding(store, list.error())) return base::fail(list.error());
    const bool damaged = list.error().code() == ErrorCode::kDamaged;
    findings.add(Kind::kCondemned, info.id,
                 damaged ? Error(list.error())
                               .with_hint("`kura gc` removes it half an hour after it came; until then "
                                          "backups may store more than they need to")
                         : list.error());
  }
  return {};
}

}  // namespace

Status check_small_objects(const Repository& repository, CheckFindings& findings, CheckSummary& summary) {
  store::Store& store = repository.store();
  KURA_TRY(check_configs(store, findings, summary));
  KURA_TRY(check_keys(repository, findings, summary));
  KURA_TRY(check_leases(store, findings, summary));
  return check_condemned(store, findings, summary);
}

}  // namespace kura::archive
