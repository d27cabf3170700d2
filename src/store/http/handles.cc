#include "store/http/handles.h"

#include <cstdlib>
#include <utility>

namespace kura::store::http {
HandlePool::HandlePool() {
  share_ = curl().share_init();
  if (share_ == nullptr) std::abort();
  curl().share_setopt(share_, CURLSHOPT_LOCKFUNC, &HandlePool::lock);
  curl().share_setopt(share_, CURLSHOPT_UNLOCKFUNC, &HandlePool::unlock);
  curl().share_setopt(share_, CURLSHOPT_USERDATA, this);
  curl().share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  curl().share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

HandlePool::~HandlePool() {
  idle_.lock()->clear();
  curl().share_cleanup(share_);
}

void HandlePool::lock(CURL* /*handle*/, curl_lock_data data, curl_lock_access /*access*/, void* self) {
  static_cast<HandlePool*>(self)->locks_.at(data).lock();
}

void HandlePool::unlock(CURL* /*handle*/, curl_lock_data data, void* self) {
  static_cast<HandlePool*>(self)->locks_.at(data).unlock();
}

Easy HandlePool::take() {
  Easy handle;
  {
    const auto idle = idle_.lock();
    if (!idle->empty()) {
      handle = std::move(idle->back());
      idle->pop_back();
    }
  }
  if (handle) {
    curl().easy_reset(handle.get());
  } else {
    handle.reset(curl().easy_init());
    if (!handle) std::abort();
  }
  curl().easy_setopt(handle.get(), CURLOPT_SHARE, share_);
  return handle;
}

void HandlePool::give_back(Easy handle) { idle_.lock()->push_back(std::move(handle)); }

}  // namespace kura::store::http
