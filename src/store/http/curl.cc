#include "store/http/curl.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include <fmt/format.h>

namespace kura::store::http {
namespace {

using base::ErrorCode;
using base::Result;

// What the headers that this was compiled with belong to; the number is that of the binary interface.
constexpr const char* kLibrary = "libcurl.so.4";

std::unexpected<base::Error> cannot_load(const std::string& why) {
  return base::fail(ErrorCode::kUnsupported, "cannot speak HTTP: " + why,
                    "install it: `apt-get install libcurl4` on Debian");
}

template <typename Function>
void find(void* library, const char* name, Function*& function, std::string& missing) {
  function = reinterpret_cast<Function*>(::dlsym(library, name));
  if (function == nullptr) missing = name;
}

// Never unloaded, as its own libraries do not bear that.
Result<Curl> open_library() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return cannot_load(::dlerror());
  std::string missing;
  decltype(&::curl_global_init) global_init = nullptr;
  find(library, "curl_global_init", global_init, missing);
  Curl curl{};
  find(library, "curl_easy_cleanup", curl.easy_cleanup, missing);
  find(library, "curl_easy_init", curl.easy_init, missing);
  find(library, "curl_easy_perform", curl.easy_perform, missing);
  find(library, "curl_easy_reset", curl.easy_reset, missing);
  find(library, "curl_easy_setopt", curl.easy_setopt, missing);
  find(library, "curl_easy_strerror", curl.easy_strerror, missing);
  find(library, "curl_getdate", curl.getdate, missing);
  find(library, "curl_share_cleanup", curl.share_cleanup, missing);
  find(library, "curl_share_init", curl.share_init, missing);
  find(library, "curl_share_setopt", curl.share_setopt, missing);
  find(library, "curl_slist_append", curl.slist_append, missing);
  find(library, "curl_slist_free_all", curl.slist_free_all, missing);
  if (!missing.empty()) return cannot_load(fmt::format("{} has no {}", kLibrary, missing));
  if (const CURLcode code = global_init(CURL_GLOBAL_DEFAULT); code != CURLE_OK) {
    return cannot_load(fmt::format("{} does not start: {}", kLibrary, curl.easy_strerror(code)));
  }
  return curl;
}

const Result<Curl>& loaded() {
  static const Result<Curl> curl = open_library();
  return curl;
}

}  // namespace

base::Status load_curl() {
  if (!loaded()) return base::fail(loaded().error());
  return {};
}

const Curl& curl() {
  if (!loaded()) std::abort();
  return *loaded();
}

}  // namespace kura::store::http
