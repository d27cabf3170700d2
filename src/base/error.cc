#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace kura::base {
namespace {

struct Meaning {
  ErrorCode code;
  const char* hint;
};

Meaning meaning_of(int errno_value) {
  switch (errno_value) {
    case ENOENT:
      return {ErrorCode::kNotFound, ""};
    case ENOTDIR:
      return {ErrorCode::kNotFound, "a part of the path is not a directory"};
    case EEXIST:
    case ENOTEMPTY:
      return {ErrorCode::kExists, ""};
    case EACCES:
    case EPERM:
      return {ErrorCode::kDenied, "check the owner and the permissions, or run as a user who may do this"};
    case EROFS:
      return {ErrorCode::kDenied, "the file system is mounted read-only"};
    case ENOSPC:
      return {ErrorCode::kNoSpace, "free some space on this file system and run again"};
    case EDQUOT:
      return {ErrorCode::kNoSpace, "the disk quota of this user is used up"};
    case EFBIG:
      return {ErrorCode::kNoSpace, "the file-size limit (ulimit -f) or that of the file system is reached"};
    case ENOMEM:
      return {ErrorCode::kNoSpace, "memory is short; close other programs or raise the memory limit"};
    case EMFILE:
      return {ErrorCode::kIo, "raise the limit of open files (ulimit -n)"};
    case EINTR:
    case ECANCELED:
      return {ErrorCode::kInterrupted, ""};
    case EOPNOTSUPP:
    case ENOSYS:
      return {ErrorCode::kUnsupported, "this system or file system cannot do it"};
    case EBUSY:
    case ETXTBSY:
      return {ErrorCode::kConflict, "it is in use; try again when it is not"};
    default:
      return {ErrorCode::kIo, ""};
  }
}

}  // namespace

Error Error::from_errno(std::string_view what, int errno_value) {
  const Meaning meaning = meaning_of(errno_value);
  char buffer[128];
  std::string message(what);
  message += ": ";
  message += strerror_r(errno_value, buffer, sizeof buffer);  // the GNU one: returns the text
  return Error(meaning.code, std::move(message), meaning.hint);
}

Error Error::within(std::string_view what) && {
  message_.insert(0, ": ").insert(0, what);
  return std::move(*this);
}

Error Error::with_hint(std::string hint) && {
  hint_ = std::move(hint);
  return std::move(*this);
}

std::string Error::text() const {
  if (hint_.empty()) return message_;
  std::string text = message_ + ". " + hint_;
  char& first = text[message_.size() + 2];
  if (first >= 'a' && first <= 'z' && !hint_.starts_with("kura ")) first = static_cast<char>(first - 'a' + 'A');
  return text;
}

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return "usage";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kExists:
      return "exists";
    case ErrorCode::kDenied:
      return "denied";
    case ErrorCode::kNoSpace:
      return "no_space";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kDamaged:
      return "damaged";
    case ErrorCode::kWrongKey:
      return "wrong_key";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kInterrupted:
      return "interrupted";
    case ErrorCode::kConflict:
      return "conflict";
  }
  std::unreachable();
}

Status not_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(ErrorCode::kInterrupted, "interrupted");
  return {};
}

}  // namespace kura::base
