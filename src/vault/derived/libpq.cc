#include "vault/derived/libpq.h"

#include <dlfcn.h>

#include <string>

#include <fmt/format.h>

namespace kura::vault {
namespace {

using base::Result;

// What the header that this was compiled with belongs to; the number is that of the binary interface.
constexpr const char* kLibrary = "libpq.so.5";

std::unexpected<base::Error> cannot_load(const std::string& why) {
  return base::fail(base::ErrorCode::kUnsupported, "cannot speak to PostgreSQL: " + why,
                    "install its library: `apt-get install libpq5` on Debian");
}

// Never unloaded, as its own libraries do not bear that.
Result<Libpq> open_library() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return cannot_load(::dlerror());
  std::string missing;
  const auto find = [&]<typename Function>(const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(::dlsym(library, name));
    if (function == nullptr) missing = name;
  };
  Libpq libpq{};
  find("PQclear", libpq.clear);
  find("PQconninfoFree", libpq.conninfo_free);
  find("PQconninfoParse", libpq.conninfo_parse);
  find("PQconnectPoll", libpq.connect_poll);
  find("PQconnectStartParams", libpq.connect_start_params);
  find("PQconsumeInput", libpq.consume_input);
  find("PQerrorMessage", libpq.error_message);
  find("PQfinish", libpq.finish);
  find("PQflush", libpq.flush);
  find("PQfreemem", libpq.freemem);
  find("PQgetlength", libpq.getlength);
  find("PQgetResult", libpq.get_result);
  find("PQgetvalue", libpq.getvalue);
  find("PQisBusy", libpq.is_busy);
  find("PQnfields", libpq.nfields);
  find("PQntuples", libpq.ntuples);
  find("PQresultErrorField", libpq.result_error_field);
  find("PQresultErrorMessage", libpq.result_error_message);
  find("PQresultStatus", libpq.result_status);
  find("PQsendQueryParams", libpq.send_query_params);
  find("PQsetNoticeProcessor", libpq.set_notice_processor);
  find("PQsetnonblocking", libpq.setnonblocking);
  find("PQsetSingleRowMode", libpq.set_single_row_mode);
  find("PQsocket", libpq.socket);
  find("PQstatus", libpq.status);
  if (!missing.empty()) return cannot_load(fmt::format("{} has no {}", kLibrary, missing));
  return libpq;
}

}  // namespace

Result<const Libpq*> load_libpq() {
  static const Result<Libpq> loaded = open_library();
  if (!loaded) return base::fail(loaded.error());
  return &*loaded;
}

}  // namespace kura::vault
