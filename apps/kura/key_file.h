// Writing an off-line recovery key: a new file, mode 0600, durable.
#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kura::app {

class KeyFile {
 public:
  // kExists when there is one: a key file is never overwritten. The file is removed again unless write() succeeds.
  static base::Result<KeyFile> create(const std::string& path);
  base::Status write(std::string_view text);
  KeyFile(KeyFile&&) noexcept = default;
  KeyFile& operator=(KeyFile&&) noexcept = default;
  ~KeyFile();

 private:
  KeyFile(std::string path, base::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  base::UniqueFd fd_;
};

}  // namespace kura::app
