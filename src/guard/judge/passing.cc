#include "guard/judge/passing.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>
#include <utility>

#include "base/time.h"

namespace kura::guard {
namespace {

constexpr std::int64_t kOneAfterTheOther = 600 * base::kSecond;
constexpr std::size_t kMostGone = 1024;               // of an actor: a descriptor each
constexpr std::uint64_t kMostGoneBytes = 1ULL << 30;  // of an actor

std::string_view folder_part(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }
std::string_view name_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Without what is behind its last dot.
std::string_view stem_of(std::string_view name) { return name.substr(0, name.rfind('.')); }

bool names_fit(const Passing& went, const Passing& came) {
  if (folder_part(went.path) != folder_part(came.path)) return false;
  const std::string_view old_name = name_part(went.path);
  const std::string_view new_name = name_part(came.path);
  return new_name.starts_with(old_name) || stem_of(new_name) == stem_of(old_name);
}

template <typename Fits>
std::optional<PassingPair> take_first(std::deque<Passing>& came, std::deque<Passing>& went, const Fits& fits) {
  for (auto new_file = came.begin(); new_file != came.end(); ++new_file) {
    const auto old_file = std::ranges::find_if(went, [&](const Passing& old) { return fits(old, *new_file); });
    if (old_file == went.end()) continue;
    PassingPair pair{std::move(*new_file), std::move(*old_file)};
    came.erase(new_file);
    went.erase(old_file);
    return pair;
  }
  return std::nullopt;
}

}  // namespace

void note_passing(std::deque<Passing>& all, Passing passing) {
  std::erase_if(all, [&](const Passing& known) { return known.path == passing.path; });  // it counts once
  if (all.size() >= ActorState::kMostPassing) all.pop_front();
  all.push_back(std::move(passing));
}

void rename_passing(std::deque<Passing>& all, const std::string& from, const std::string& to) {
  for (Passing& passing : all) {
    if (passing.path == from) passing.path = to;
  }
}

void note_gone(std::deque<GoneFile>& all, GoneFile gone) {
  std::uint64_t bytes = gone.size;
  for (const GoneFile& known : all) bytes += known.size;
  while (!all.empty() && (bytes > kMostGoneBytes || all.size() >= kMostGone)) {
    bytes -= all.front().size;
    all.pop_front();
  }
  if (bytes <= kMostGoneBytes) all.push_back(std::move(gone));
}

void forget_gone(std::deque<GoneFile>& all, std::int64_t time) {
  std::erase_if(all, [time](const GoneFile& gone) { return gone.time < time; });
}

bool sizes_fit(std::uint64_t went, std::uint64_t came) {
  const auto near = [came](std::uint64_t size) { return came + 64 >= size && came <= size + 4096; };
  return near(went) || near(went / 3 * 4) || near(went / 3 * 4 + went / 57);  // base64, in lines
}

std::optional<PassingPair> take_pair(std::deque<Passing>& came, std::deque<Passing>& went) {
  if (auto pair = take_first(came, went, names_fit)) return pair;
  // A size says little of a small file, and nothing of one that has lost its end.
  return take_first(came, went, [](const Passing& old, const Passing& now) {
    return !now.ends_early && old.size >= 8192 && sizes_fit(old.size, now.size) &&
           std::abs(old.time - now.time) <= kOneAfterTheOther;
  });
}

std::size_t folders_with_same(const std::deque<Passing>& all) {
  if (all.empty()) return 0;
  std::set<std::string_view> folders;
  for (const Passing& passing : all) {
    if (name_part(passing.path) == name_part(all.back().path) && passing.size <= all.back().size + 512 &&
        all.back().size <= passing.size + 512) {
      folders.insert(folder_part(passing.path));
    }
  }
  return folders.size();
}

}  // namespace kura::guard
