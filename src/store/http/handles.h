// libcurl's handles, kept while they are not used, and what they share.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "base/guarded.h"
#include "store/http/curl.h"

namespace kura::store::http {

struct EasyCleanup {
  void operator()(CURL* handle) const { curl().easy_cleanup(handle); }
};
using Easy = std::unique_ptr<CURL, EasyCleanup>;

// Shared by threads; a handle is used by one at a time.
class HandlePool {
 public:
  HandlePool();
  ~HandlePool();
  HandlePool(const HandlePool&) = delete;
  HandlePool& operator=(const HandlePool&) = delete;

  // One with no options set, and perhaps with open connections.
  Easy take();
  void give_back(Easy handle);

 private:
  static void lock(CURL* handle, curl_lock_data data, curl_lock_access access, void* self);
  static void unlock(CURL* handle, curl_lock_data data, void* self);

  std::array<std::mutex, CURL_LOCK_DATA_LAST> locks_;
  CURLSH* share_;
  base::Guarded<std::vector<Easy>> idle_;
};

}  // namespace kura::store::http
