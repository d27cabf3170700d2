// Two versions of a file, judged by both contents.
#include "detect/judge/judge.h"
#include "detect/judge/pair.h"
#include "support/fuzz_support.h"

namespace kura {

void fuzz::pairs(base::ByteSpan input) {
  // Where the old one ends, in 256ths of the input.
  if (input.empty()) return;
  const base::ByteSpan both = input.subspan(1);
  const std::size_t end = both.size() * input[0] / 255;
  detect::MemoryInput old_input(both.first(end));
  detect::MemoryInput new_input(both.subspan(end));
  const detect::Version before = detect::judge(old_input, "a.docx");
  const detect::Version after = detect::judge(new_input, "a.docx.x");
  for (const char* name : {"a.docx", "a.docx.x", "a"}) {
    const detect::Judgement judgement = detect::judge_change(before, old_input, after, new_input, name);
    const bool says_why = judgement.verdict == detect::Verdict::kValid || !judgement.reasons.empty();
    fuzz::require(says_why, "every verdict but one says why");
  }
}

}  // namespace kura
