// libcurl, loaded when it is first wanted. It brings thirty other libraries, which would cost each start of a program
// several times what the rest of it does, and most never speak HTTP.
#pragma once

#include <curl/curl.h>

#include "base/error.h"

namespace kura::store::http {

// Its functions, by the names that they have there.
struct Curl {
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_perform) easy_perform;
  decltype(&::curl_easy_reset) easy_reset;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_getdate) getdate;
  decltype(&::curl_share_cleanup) share_cleanup;
  decltype(&::curl_share_init) share_init;
  decltype(&::curl_share_setopt) share_setopt;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
};

// Loads and initialises it; again, it does nothing. kUnsupported where it is not installed or is too old. Thread-safe.
base::Status load_curl();
// After load_curl(); ends the program where that would fail.
const Curl& curl();

}  // namespace kura::store::http
