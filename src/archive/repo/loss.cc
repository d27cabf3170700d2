#include "archive/repo/loss.h"

namespace kura::archive {

bool is_loss(store::Store& store, const base::Error& error) {
  if (is_damage(error)) return true;
  return error.code() == base::ErrorCode::kIo && store.list(store::Kind::kConfig).has_value();
}

}  // namespace kura::archive
