// Leases and lists of condemned objects: both have one form.
#include "archive/format/lease.h"

#include "support/fuzz_support.h"

namespace kura {
namespace {

template <typename Object>
void try_object(base::ByteSpan bytes) {
  const auto object = [&] {
    const fuzz::AllocationWatch watch(bytes.size());
    return Object::decode(bytes);
  }();
  if (object) fuzz::require(std::ranges::equal(object->encode(), bytes), "a lease has one form");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try_object<archive::LeaseObject>({data, size});
  try_object<archive::CondemnedObject>({data, size});
  return 0;
}

}  // namespace kura
