// PostgreSQL's library, loaded when it is first wanted: it brings twenty-five other libraries, which would cost each
// start of a program 19 ms, and most vaults have no PostgreSQL.
#pragma once

#include <libpq-fe.h>

#include "base/error.h"

namespace kura::vault {

// Its functions, by the names that they have there.
struct Libpq {
  decltype(&::PQclear) clear;
  decltype(&::PQconninfoFree) conninfo_free;
  decltype(&::PQconninfoParse) conninfo_parse;
  decltype(&::PQconnectPoll) connect_poll;
  decltype(&::PQconnectStartParams) connect_start_params;
  decltype(&::PQconsumeInput) consume_input;
  decltype(&::PQerrorMessage) error_message;
  decltype(&::PQfinish) finish;
  decltype(&::PQflush) flush;
  decltype(&::PQfreemem) freemem;
  decltype(&::PQgetlength) getlength;
  decltype(&::PQgetResult) get_result;
  decltype(&::PQgetvalue) getvalue;
  decltype(&::PQisBusy) is_busy;
  decltype(&::PQnfields) nfields;
  decltype(&::PQntuples) ntuples;
  decltype(&::PQresultErrorField) result_error_field;
  decltype(&::PQresultErrorMessage) result_error_message;
  decltype(&::PQresultStatus) result_status;
  decltype(&::PQsendQueryParams) send_query_params;
  decltype(&::PQsetNoticeProcessor) set_notice_processor;
  decltype(&::PQsetnonblocking) setnonblocking;
  decltype(&::PQsetSingleRowMode) set_single_row_mode;
  decltype(&::PQsocket) socket;
  decltype(&::PQstatus) status;
};

// Loads it; again, it does nothing. kUnsupported where it is not installed or is too old. Thread-safe.
base::Result<const Libpq*> load_libpq();

}  // namespace kura::vault
