#include "guard/contain/incident.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/escape.h"
#include "base/time.h"
#include "store/atomic_file.h"

namespace kura::guard {
namespace {

namespace json = boost::json;
using base::ErrorCode;
using base::Result;
using base::Status;

std::string time_text(std::int64_t ns) { return base::format_rfc3339(ns, base::TimePrecision::kNanoseconds); }
std::string shown(std::string_view bytes) { return base::utf8_or_escaped(bytes); }

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}
std::int64_t number_at(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}
std::int64_t time_at(const json::object& object, std::string_view name) {
  return base::parse_rfc3339(text_at(object, name)).value_or(0);
}
// Paths may be any bytes, which JSON cannot hold: beside the text there is the hex form where it is needed.
void add_path(json::object& object, const std::string& name, const std::string& path) {
  object[name] = shown(path);
  if (shown(path) != path) object[name + "_hex"] = base::to_hex(base::as_bytes(path));
}
std::string path_at(const json::object& object, const std::string& name) {
  if (const auto bytes = base::from_hex(text_at(object, name + "_hex")); bytes && !bytes->empty()) {
    return std::string(base::as_text(*bytes));
  }
  return text_at(object, name);
}

json::object to_json(const Proof& proof) {
  json::object value{{"sign", name_of(proof.sign)}, {"time", time_text(proof.time)}, {"reason", shown(proof.reason)}};
  add_path(value, "path", proof.path);
  return value;
}

json::object to_json(const Step& step) {
  json::object value{
      {"step", step.what}, {"done", step.done}, {"detail", shown(step.detail)}, {"time", time_text(step.time)}};
  if (step.process.pid != 0) {
    value["pid"] = step.process.pid;
    value["started"] = step.process.started;
  }
  return value;
}

json::object to_json(const TouchedFile& file) {
  json::object value{{"what", file.touch.what}, {"time", time_text(file.touch.time)}};
  add_path(value, "path", file.touch.path);
  if (!file.touch.from.empty()) add_path(value, "from", file.touch.from);
  if (file.saved != 0) value["saved"] = file.saved;
  if (!file.original.empty()) add_path(value, "original", file.original);
  return value;
}

template <typename Each>
void each_object(const json::object& object, std::string_view name, const Each& each) {
  const json::value* const list = object.if_contains(name);
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& entry : list->get_array()) {
    if (entry.is_object()) each(entry.get_object());
  }
}

ActorName actor_of(const json::object& value) {
  ActorName name;
  const std::string kind = text_at(value, "kind");
  name.kind = kind == "samba" ? ActorKind::kSamba : kind == "local" ? ActorKind::kLocal : ActorKind::kUnseen;
  name.address = text_at(value, "address");
  name.account = text_at(value, "user_name");
  name.share = text_at(value, "share");
  name.user = static_cast<uid_t>(number_at(value, "uid"));
  name.program = text_at(value, "program");
  name.unit = text_at(value, "unit");
  return name;
}

Sign sign_named(std::string_view name) {
  for (const Sign sign : {Sign::kReplaced, Sign::kCanaryBroken, Sign::kCanaryGone}) {
    if (name == name_of(sign)) return sign;
  }
  return Sign::kBecameBroken;
}

IncidentState state_named(std::string_view name) {
  return name == "contained" ? IncidentState::kContained
         : name == "undone"  ? IncidentState::kUndone
                             : IncidentState::kSuspect;
}

void add_lists(const json::object& object, Incident& incident) {
  each_object(object, "evidence", [&](const json::object& entry) {
    incident.proofs.push_back(
        {sign_named(text_at(entry, "sign")), path_at(entry, "path"), time_at(entry, "time"), text_at(entry, "reason")});
  });
  each_object(object, "steps", [&](const json::object& entry) {
    const json::value* const done = entry.if_contains("done");
    incident.steps.push_back(
        {text_at(entry, "step"),
         done != nullptr && done->is_bool() && done->get_bool(),
         text_at(entry, "detail"),
         time_at(entry, "time"),
         {static_cast<pid_t>(number_at(entry, "pid")), static_cast<std::uint64_t>(number_at(entry, "started"))}});
  });
  each_object(object, "files", [&](const json::object& entry) {
    TouchedFile file{{path_at(entry, "path"), path_at(entry, "from"), text_at(entry, "what"), time_at(entry, "time")},
                     number_at(entry, "saved"),
                     path_at(entry, "original")};
    if (file.original.empty()) file.original = file.touch.from.empty() ? file.touch.path : file.touch.from;
    incident.files.push_back(std::move(file));
  });
}

}  // namespace

std::string_view name_of(IncidentState state) {
  switch (state) {
    case IncidentState::kSuspect:
      return "suspect";
    case IncidentState::kContained:
      return "contained";
    case IncidentState::kUndone:
      return "undone";
  }
  std::unreachable();
}

json::object to_json(const ActorName& actor) {
  switch (actor.kind) {
    case ActorKind::kSamba:
      return {{"kind", "samba"},
              {"address", actor.address},
              {"user_name", shown(actor.account)},
              {"share", shown(actor.share)}};
    case ActorKind::kLocal:
      return {{"kind", "local"}, {"uid", actor.user}, {"program", shown(actor.program)}, {"unit", shown(actor.unit)}};
    case ActorKind::kUnseen:
      return {{"kind", "unseen"}};
  }
  std::unreachable();
}

json::object to_json(const Incident& incident) {
  json::array proofs, steps, files;
  for (const Proof& proof : incident.proofs) proofs.push_back(to_json(proof));
  for (const Step& step : incident.steps) steps.push_back(to_json(step));
  for (const TouchedFile& file : incident.files) files.push_back(to_json(file));
  return {{"type", "incident"},
          {"id", incident.id},
          {"state", name_of(incident.state)},
          {"actor", to_json(incident.actor)},
          {"share", shown(incident.share)},
          {"opened", time_text(incident.opened)},
          {"since", time_text(incident.since)},
          {"evidence", std::move(proofs)},
          {"steps", std::move(steps)},
          {"files", std::move(files)}};
}

Result<Incident> incident_of(std::string_view text) {
  boost::system::error_code malformed;
  const json::value value = json::parse(text, malformed);
  if (malformed || !value.is_object()) return base::fail(ErrorCode::kDamaged, "an incident's file is no JSON");
  const json::object& object = value.get_object();
  Incident incident;
  incident.id = text_at(object, "id");
  incident.state = state_named(text_at(object, "state"));
  if (const json::value* const actor = object.if_contains("actor"); actor != nullptr && actor->is_object()) {
    incident.actor = actor_of(actor->get_object());
  }
  incident.share = text_at(object, "share");
  incident.opened = time_at(object, "opened");
  incident.since = time_at(object, "since");
  add_lists(object, incident);
  return incident;
}

Result<std::string> read_whole(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return base::fail(base::Error::from_errno("cannot read " + path, errno));
  std::string text;
  std::array<char, 64U << 10> buffer;
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail(base::Error::from_errno("cannot read " + path, errno));
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Result<IncidentBook> IncidentBook::open(const std::string& state_folder) {
  std::string folder = state_folder + "/incidents";
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return base::fail(base::Error::from_errno("cannot make " + folder, code.value()));
  ::chmod(folder.c_str(), 0700);
  return IncidentBook(std::move(folder));
}

Status IncidentBook::write(const Incident& incident) const {
  return store::write_small_file(fmt::format("{}/{}.json", folder_, incident.id),
                                 base::as_bytes(json::serialize(to_json(incident)) + "\n"));
}

std::vector<Incident> IncidentBook::all() const {
  std::vector<std::string> names;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, code)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().string());
  }
  std::ranges::sort(names);
  std::vector<Incident> all;
  for (const std::string& name : names) {
    const auto text = read_whole(name);
    if (!text) continue;
    if (auto incident = incident_of(*text)) all.push_back(*std::move(incident));
  }
  return all;
}

Result<Incident> IncidentBook::read(const std::string& id) const {
  std::vector<Incident> fitting = all();
  std::erase_if(fitting, [&](const Incident& incident) { return id.empty() || !incident.id.starts_with(id); });
  if (fitting.size() == 1) return std::move(fitting.front());
  return base::fail(ErrorCode::kNotFound,
                    fmt::format("{} incident begins with '{}'", fitting.empty() ? "no" : "more than one", id),
                    "`kura guard status` lists them");
}

std::string IncidentBook::new_id(std::int64_t now) const {
  std::string time = base::format_rfc3339(now);
  std::erase_if(time, [](char character) { return character == '-' || character == ':'; });
  for (int number = 1;; ++number) {
    std::string id = fmt::format("{}-{}", time, number);
    if (::access(fmt::format("{}/{}.json", folder_, id).c_str(), F_OK) != 0) return id;
  }
}

}  // namespace kura::guard
