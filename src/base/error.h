// Expected failures as values.
//
//   Result<Bytes> read_file(const std::string& path);
//
//   Result<Config> load(const std::string& path) {
//     Bytes bytes = KURA_TRY(read_file(path));          // returns the error to our caller
//     return parse(bytes);
//   }
//
// An Error is written for the person who has to act on it: what failed, on what, why, and (hint) what to do next.
// Functions add what they know on the way up with `within()`. Exceptions are left to the standard library's own
// (bad_alloc) and end the program.
#pragma once

#include <expected>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace kura::base {

// What a caller may want to tell apart; the exit code of a program follows from it.
enum class ErrorCode {
  kUsage,        // the caller asked for something that makes no sense
  kNotFound,     // the named thing does not exist
  kExists,       // it exists already
  kDenied,       // the operating system or the store says no
  kNoSpace,      // disk, quota or file-size limit
  kIo,           // any other failure of the outside world
  kDamaged,      // stored bytes are not what was stored
  kWrongKey,     // passphrase or key does not open this
  kUnsupported,  // made by a newer version, or this platform cannot do it
  kInterrupted,  // a person or a stop token ended it
  kConflict,     // somebody else's work crossed ours; running again is expected to help
};

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message, std::string hint = {})
      : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

  // `what` is an action and its object ("cannot write /srv/x/packs/ab"); strerror(errno_value) is appended, the code
  // is chosen from errno_value (ENOENT, EACCES, ENOSPC, ...), and known cases get a hint.
  static Error from_errno(std::string_view what, int errno_value);

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }

  // "what: message", the same code and hint.
  Error within(std::string_view what) &&;
  Error with_hint(std::string hint) &&;

  // "message" or "message. hint", for logs and terminals.
  std::string text() const;

 private:
  ErrorCode code_;
  std::string message_;
  std::string hint_;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
  return std::unexpected(Error(code, std::move(message), std::move(hint)));
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

// kInterrupted once a stop was requested, else well: for loops of long work.
Status not_stopped(const std::stop_token& stop);

// The code's own name, stable, as JSON output shows it: "not_found", "wrong_key", ...
std::string_view name_of(ErrorCode code);

}  // namespace kura::base

// The value of a Result, or return its error from the enclosing function. May be nested. Not for coroutines with g++.
#define KURA_TRY(...) KURA_TRY_NAMED(KURA_TRY_NAME(__COUNTER__), (__VA_ARGS__), )

// The same, and says on the way up what was being done: KURA_TRY_AS(read(p), "reading the key file " + p).
#define KURA_TRY_AS(expression, what) KURA_TRY_NAMED(KURA_TRY_NAME(__COUNTER__), (expression), .within(what))

#define KURA_TRY_NAMED(result, expression, change)              \
  ({                                                            \
    auto&& result = expression;                                 \
    if (!result) {                                              \
      return std::unexpected(std::move(result).error() change); \
    }                                                           \
    *std::move(result);                                         \
  })
#define KURA_TRY_NAME(counter) KURA_TRY_NAME_(counter)
#define KURA_TRY_NAME_(counter) kura_try_result_##counter
