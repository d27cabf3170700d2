// All targets are one program, which is built and linked once; KURA_FUZZ_TARGET in the environment names the target.
#include <string_view>

#include "support/fuzz_support.h"

namespace kura::fuzz {
namespace {

struct Target {
  const char* name;
  void (*try_input)(base::ByteSpan);
};

constexpr Target kTargets[] = {
    {"archives", archives},
    {"cache", cache},
    {"ciphers", ciphers},
    {"config", config},
    {"databases", databases},
    {"documents", documents},
    {"detect_disks", detect_disks},
    {"detect_programs", detect_programs},
    {"detect_text", detect_text},
    {"door", door},
    {"entry", entry},
    {"followed_vault", followed_vault},
    {"images", images},
    {"index", index},
    {"journal", journal},
    {"judge_answers", judge_answers},
    {"key", key},
    {"lease", lease},
    {"media", media},
    {"pack", pack},
    {"pairs", pairs},
    {"parity", parity},
    {"s3_answers", s3_answers},
    {"snapshot", snapshot},
    {"vault_answers", vault_answers},
};

const Target* chosen_target = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argument_count*/, char*** /*arguments*/) {
  const char* name = std::getenv("KURA_FUZZ_TARGET");
  const std::string_view wanted = name == nullptr ? "" : name;
  chosen_target = std::ranges::find_if(kTargets, [&](const Target& target) { return target.name == wanted; });
  if (chosen_target != std::end(kTargets)) return 0;
  std::fprintf(stderr, "KURA_FUZZ_TARGET is to be one of:");
  for (const Target& target : kTargets) std::fprintf(stderr, " %s", target.name);
  std::fprintf(stderr, "\n");
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen_target->try_input({data, size});
  return 0;
}

}  // namespace kura::fuzz
