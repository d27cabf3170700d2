#include "archive/restore/version_facts.h"

#include <algorithm>

#include "detect/judge/names.h"
#include "detect/kinds/kinds.h"

namespace kura::archive {
namespace {

// As base64, in lines or not, or as hexadecimal digits.
bool has_size_of_encoded(std::uint64_t size, std::uint64_t before) {
  const std::uint64_t base64 = (before + 2) / 3 * 4;
  return size == before * 2 || size == base64 || size == base64 + (base64 + 75) / 76;
}

}  // namespace

bool is_broken(const Entry& entry) {
  return entry.type == EntryType::kFile && entry.judged && entry.judged->verdict == detect::Verdict::kBroken;
}

bool is_whole(const std::optional<Entry>& entry) {
  return entry && entry->type == EntryType::kFile && !is_broken(*entry);
}

bool has_content_of(const Entry& entry, const Entry& other) {
  return entry.type == other.type && entry.size == other.size && entry.content == other.content;
}

std::string without_extension(const std::string& path) {
  const std::size_t name = path.rfind('/') + 1;
  return path.substr(0, name) + std::string(detect::stem_of(std::string_view(path).substr(name)));
}

bool is_of_a_kind(const Judged& judged) {
  return !judged.kind.empty() &&
         (judged.verdict == detect::Verdict::kValid || judged.verdict == detect::Verdict::kOpaque);
}

bool is_text(const Judged& judged) { return judged.kind.ends_with("text"); }

bool is_what_it_was_named(const std::string& path, const Judged& judged) {
  if (judged.verdict != detect::Verdict::kValid) return judged.verdict == detect::Verdict::kOpaque;
  const detect::Kind* const kind = detect::kind_named(judged.kind);
  if (kind == nullptr || !is_text(judged)) return true;
  const auto names = detect::names_before(path);
  return std::ranges::all_of(names, [&](const std::string& name) {
    const detect::Kind* const promised = detect::promised_by(name);
    return promised == nullptr || detect::may_be(name, *kind);
  });
}

void say_broken(Entry& entry, std::string evidence) {
  std::string kind = entry.judged ? entry.judged->kind : std::string();
  entry.judged = Judged{
      .verdict = detect::Verdict::kBroken, .turned = true, .kind = std::move(kind), .evidence = std::move(evidence)};
}

bool is_still(const Entry& entry, const Entry& before) {
  if (has_content_of(entry, before)) return true;
  if (!entry.judged || !before.judged) return false;
  const Judged& now = *entry.judged;
  if (!is_of_a_kind(now)) return false;
  return !is_text(now) || (is_text(*before.judged) && !has_size_of_encoded(entry.size, before.size));
}

}  // namespace kura::archive
