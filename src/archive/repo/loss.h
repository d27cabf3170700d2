// An object's own trouble, told from that of the whole store.
#pragma once

#include "archive/repo/repository.h"

namespace kura::archive {

// Of an object: it is gone or damaged, or it cannot be read although the store answers. That is a bad sector, and not a
// line that is cut or a disk that was pulled. Costs a listing where reading failed.
bool is_loss(store::Store& store, const base::Error& error);

}  // namespace kura::archive
