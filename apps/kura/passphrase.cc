#include "passphrase.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <optional>

#include "options.h"

namespace kura::app {

namespace {

constexpr const char* kFileVariable = "KURA_PASSPHRASE_FILE";
constexpr const char* kVariable = "KURA_PASSPHRASE";

// /dev/tty with echo off, put back as it was at the end.
class SilentTerminal {
 public:
  static base::Result<SilentTerminal> open() {
    const int fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
      return base::fail(base::ErrorCode::kUsage, "a passphrase is needed, and there is no terminal to ask on",
                        "Give it by --passphrase-file FILE, KURA_PASSPHRASE_FILE or KURA_PASSPHRASE");
    }
    return SilentTerminal(fd);
  }
  SilentTerminal(SilentTerminal&& other) noexcept : fd_(std::exchange(other.fd_, -1)), before_(other.before_) {}
  SilentTerminal& operator=(SilentTerminal&&) = delete;
  ~SilentTerminal() {
    if (fd_ < 0) return;
    tcsetattr(fd_, TCSAFLUSH, &before_);
    ::close(fd_);
  }

  base::Result<Passphrase> ask(std::string_view prompt, const std::stop_token& stop) {
    write_all(prompt);
    std::string text;
    text.reserve(1024);  // so that it is not left behind by growing
    char byte = 0;
    while (text.size() < 1024) {
      // Ctrl-C reaches another thread (base/signals.h), so this one has to look up from its wait.
      pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
      const int ready = ::poll(&waiting, 1, 100);
      if (stop.stop_requested()) {
        write_all("\n");
        return base::fail(base::ErrorCode::kInterrupted, "interrupted");
      }
      if (ready <= 0) continue;
      if (::read(fd_, &byte, 1) <= 0 || byte == '\n') break;
      text.push_back(byte);
    }
    write_all("\n");
    return Passphrase(std::move(text));
  }

 private:
  explicit SilentTerminal(int fd) : fd_(fd) {
    tcgetattr(fd_, &before_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(fd_, TCSAFLUSH, &silent);
  }
  void write_all(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::write(fd_, text.data(), text.size());
      if (count <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  int fd_;
  termios before_{};
};

base::Result<Passphrase> first_line(const std::string& path) {
  std::string text = KURA_TRY_AS(read_text_file(path), "the passphrase file");
  const auto end = text.find('\n');
  std::string line = text.substr(0, end);
  explicit_bzero(text.data(), text.size());
  if (line.ends_with('\r')) line.pop_back();
  return Passphrase(std::move(line));
}

base::Result<Passphrase> refuse_empty(base::Result<Passphrase> passphrase) {
  if (!passphrase || !passphrase->text().empty()) return passphrase;
  return base::fail(base::ErrorCode::kUsage, "the passphrase is empty");
}

std::optional<base::Result<Passphrase>> given(const std::string& file, const char* file_variable,
                                              const char* variable) {
  if (!file.empty()) return first_line(file);
  if (const char* path = std::getenv(file_variable); path != nullptr && *path != '\0') return first_line(path);
  if (const char* text = std::getenv(variable); text != nullptr) return Passphrase(text);
  return std::nullopt;
}

}  // namespace

bool passphrase_is_given(const std::string& file) {
  const char* path = std::getenv(kFileVariable);
  return !file.empty() || (path != nullptr && *path != '\0') || std::getenv(kVariable) != nullptr;
}

base::Result<Passphrase> find_passphrase(const std::string& file, std::string_view prompt, std::stop_token stop) {
  if (auto found = given(file, kFileVariable, kVariable)) return refuse_empty(std::move(*found));
  auto terminal = KURA_TRY(SilentTerminal::open());
  return refuse_empty(terminal.ask(prompt, stop));
}

base::Result<Passphrase> find_new_passphrase(const std::string& file, const char* file_variable, const char* variable,
                                             std::string_view prompt, std::stop_token stop) {
  if (auto found = given(file, file_variable, variable)) return refuse_empty(std::move(*found));
  auto terminal = KURA_TRY(SilentTerminal::open());
  auto first = KURA_TRY(refuse_empty(terminal.ask(prompt, stop)));
  const auto second = KURA_TRY(terminal.ask("The same again: ", stop));
  if (first.text() != second.text()) {
    return base::fail(base::ErrorCode::kUsage, "the two passphrases differ", "Nothing was changed; run it again");
  }
  return first;
}

}  // namespace kura::app
