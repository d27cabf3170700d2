// Documents of each kind: what their validators say keeps its promises, whatever the bytes.
#include "detect/documents/documents_kinds.h"
#include "support/fuzz_support.h"

namespace kura {

void fuzz::documents(base::ByteSpan input) {
  for (const detect::Kind& kind : detect::documents_kinds()) {
    detect::MemoryInput memory(input);
    detect::Window window(memory);
    if (!kind.recognise(window)) continue;
    detect::Budget budget = detect::Budget::for_file(input.size());
    const detect::Report report = kind.check(window, budget);
    fuzz::require((report.finding == detect::Finding::kWhole) == report.evidence.empty(), "a finding says why");
    std::uint64_t before = 0;
    for (const detect::Stretch& stretch : report.stretches) {
      fuzz::require(stretch.range.offset >= before && stretch.range.offset <= input.size() &&
                        stretch.range.size <= input.size() - stretch.range.offset,
                    "stretches ascend and lie in the file");
      before = stretch.range.end();
    }
  }
}

}  // namespace kura
