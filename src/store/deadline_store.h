// A store whose reads come to an end, though the store behind it never answers: a network share whose server is gone, a
// disk that hangs. No system call can be taken back, so they are made on threads of this object's own, and given up.
//
//   auto store = with_deadline(KURA_TRY(open_folder_store(...)), std::chrono::seconds(10), stop);
//
// get(), read_at(), stat() and list() give kIo when nothing has come for that long, read_at() from when the last 512
// KiB came; get() waits six times as long, for it cannot tell how far it is. A requested stop ends them at once, with
// kInterrupted. All else goes straight to the store behind.
// Cost: two changes of threads and a copy of what read_at() reads. At most 64 calls are made at once, those included
// that were given up and still hang; further ones wait for these.
//
// It may be destroyed while calls hang: their threads keep the store behind, and end with the last of them.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>

#include "store/store.h"

namespace kura::store {

std::unique_ptr<Store> with_deadline(std::shared_ptr<Store> store, std::chrono::milliseconds patience,
                                     const std::stop_token& stop = {});

}  // namespace kura::store
