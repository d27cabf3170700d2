#include "detect/grammar/report.h"

namespace kura::detect {

void add_stretch(std::vector<Stretch>& stretches, Stretch next) {
  if (next.range.size == 0) return;
  if (!stretches.empty()) {
    Stretch& last = stretches.back();
    const bool touches = last.range.end() == next.range.offset;
    if (last.density == next.density && last.samples == next.samples &&
        (touches || stretches.size() >= kMostStretches)) {
      last.range.size = next.range.end() - last.range.offset;
      return;
    }
  }
  if (stretches.size() < kMostStretches) stretches.push_back(next);
}

}  // namespace kura::detect
