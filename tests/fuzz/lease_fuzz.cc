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

void fuzz::lease(base::ByteSpan input) {
  try_object<archive::LeaseObject>(input);
  try_object<archive::CondemnedObject>(input);
}

}  // namespace kura
