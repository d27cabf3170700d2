#include "detect/judge/contents_judge.h"

#include "detect/input/input.h"
#include "detect/judge/judge.h"
#include "detect/judge/pair.h"

namespace kura::detect {
namespace {

// Calls `use` with the contents as an input.
auto with_input(const Contents& contents, std::string_view name, const auto& use) {
  if (contents.bytes) {
    MemoryInput input(*contents.bytes);
    return use(input);
  }
  FileInput input(contents.fd, contents.size, std::string(name));
  return use(input);
}

}  // namespace

std::vector<Version> DirectJudge::judge(std::span<const NamedContents> files) {
  std::vector<Version> versions;
  versions.reserve(files.size());
  for (const auto& [contents, name] : files) {
    versions.push_back(with_input(contents, name, [&](Input& input) { return detect::judge(input, name); }));
  }
  return versions;
}

Judgement DirectJudge::judge_change(const Version& before, const Contents& old_contents, const Version& after,
                                    const Contents& new_contents, std::string_view name) {
  return with_input(old_contents, name, [&](Input& old_input) {
    return with_input(new_contents, name, [&](Input& new_input) {
      return detect::judge_change(before, old_input, after, new_input, name);
    });
  });
}

}  // namespace kura::detect
