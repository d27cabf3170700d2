// Where a passphrase comes from: a file, the environment, or a person at a terminal. Never from the command line, where
// everybody on the machine could read it.
#pragma once

#include <cstring>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kura::app {

// Wiped when it goes.
class Passphrase {
 public:
  explicit Passphrase(std::string text) : text_(std::move(text)) {}
  Passphrase(Passphrase&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Passphrase& operator=(Passphrase&&) = delete;
  ~Passphrase() { wipe(); }
  std::string_view text() const { return text_; }

 private:
  void wipe() { explicit_bzero(text_.data(), text_.size()); }
  std::string text_;
};

// `file` (option), KURA_PASSPHRASE_FILE, KURA_PASSPHRASE: whether any of them is there.
bool passphrase_is_given(const std::string& file);

// From them in this order, else asked for with `prompt` on the terminal, not echoed. Of a file the first line counts.
// kUsage when there is no terminal, or it is empty.
base::Result<Passphrase> find_passphrase(const std::string& file, std::string_view prompt, std::stop_token stop);
// For a new secret: from the same places, but asked for twice on a terminal.
base::Result<Passphrase> find_new_passphrase(const std::string& file, const char* file_variable, const char* variable,
                                             std::string_view prompt, std::stop_token stop);

}  // namespace kura::app
