// What a judge's process answers: it reads the bytes of others, so it is one of them.
#include "detect/confined/messages.h"
#include "support/fuzz_support.h"

namespace kura {

void fuzz::judge_answers(base::ByteSpan input) {
  // The size of the file that was asked for comes first.
  base::Decoder in(input);
  const std::uint64_t size = in.u32();
  const fuzz::AllocationWatch watch(input.size());
  base::Decoder of_version(in.rest());
  const detect::Version version = detect::decode_version(of_version, size);
  if (of_version.finish("a version")) {
    fuzz::require(version.size <= size, "no version is larger than its file");
    fuzz::require(version.texture.random_count() <= version.texture.random.words().size() * 64, "blocks are counted");
    base::Encoder out;
    detect::encode(version, out);
    fuzz::require(out.size() <= detect::longest_answer(size, 1), "the longest answer has room for it");
    base::Decoder again(out.bytes());
    const detect::Version same = detect::decode_version(again, size);
    fuzz::require(again.finish("a version").has_value(), "what was read can be read again");
    fuzz::require(same.texture == version.texture && same.judgement.reasons == version.judgement.reasons, "as it was");
  }
  base::Decoder of_judgement(in.rest());
  detect::decode_judgement(of_judgement);
  base::Decoder of_request(in.rest());
  detect::decode_request(of_request);
}

}  // namespace kura
