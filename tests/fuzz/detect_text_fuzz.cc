#include "detect/text/ransom_note.h"
#include "detect/text/text_kinds.h"
#include "support/detect_kinds.h"

namespace kura {

void fuzz::detect_text(base::ByteSpan input) {
  try_kinds(detect::text_kinds(), input);
  detect::MemoryInput file(input);
  detect::Window window(file);
  const detect::RansomNote note = detect::judge_note(window, "README.txt");
  require(!note.is_note || !note.evidence.empty(), "a note has evidence");
}

}  // namespace kura
