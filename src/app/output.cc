#include "app/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/human.h"

namespace kura::app {

namespace {

constexpr auto kTerminalPeriod = std::chrono::milliseconds(200);
constexpr auto kJsonPeriod = std::chrono::seconds(1);

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

// The error's number, or 0.
int write_line(std::FILE* stream, std::string_view text, bool at_once = true) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size() &&
                       std::fputc('\n', stream) != EOF && (!at_once || std::fflush(stream) == 0);
  if (written) return 0;
  return errno != 0 ? errno : EIO;
}

}  // namespace

boost::json::string json_text(std::string_view bytes) { return boost::json::string(base::utf8_or_escaped(bytes)); }

void warn_of_parity(Output& output, const std::optional<base::Error>& problem) {
  if (!problem) return;
  output.warning(
      fmt::format("some of what is stored has no parity yet: {}. The next `kura gc` or `kura check --repair` "
                  "makes it",
                  problem->message()));
}

Output::Output(bool json, bool quiet) : json_(json), quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {}

void Output::clear_progress() {
  if (!progress_shown_) return;
  std::fputs("\r\033[K", stderr);
  progress_shown_ = false;
}

void Output::gather_results() {
  const bool read_as_it_comes = isatty(STDOUT_FILENO) == 1;
  const base::MutexLock lock(mutex_);
  gathers_ = !read_as_it_comes;
  // The library's own buffer is a page: a listing of 10,000 snapshots would be a thousand writes.
  static std::array<char, std::size_t{64} * 1024> buffer;
  if (gathers_) std::setvbuf(stdout, buffer.data(), _IOFBF, buffer.size());
}

void Output::line(std::string_view text) {
  if (json_) return;
  base::MutexLock lock(mutex_);
  clear_progress();
  write_result(text);
}

void Output::note(std::string_view text) {
  if (!quiet_) line(text);
}

void Output::warning(std::string_view text) {
  if (json_) return object({{"type", "warning"}, {"message", json_text(text)}});
  base::MutexLock lock(mutex_);
  clear_progress();
  write_problem(fmt::format("kura: warning: {}", base::printable(text)));
}

void Output::problem(std::string_view path, const base::Error& error) {
  if (json_) {
    boost::json::object value{{"type", "error"}, {"path", nullptr}, {"message", json_text(error.message())}};
    if (!path.empty()) value["path"] = json_text(path);
    value["code"] = base::name_of(error.code());
    if (!error.hint().empty()) value["hint"] = json_text(error.hint());
    return object(value);
  }
  base::MutexLock lock(mutex_);
  clear_progress();
  const std::string where = path.empty() ? std::string() : base::printable(path) + ": ";
  write_problem(fmt::format("kura: {}{}", where, base::printable(error.text())));
}

void Output::object(const boost::json::object& value) {
  if (!json_) return;
  const std::string text = boost::json::serialize(value);
  base::MutexLock lock(mutex_);
  write_result(text);
}

// The stream remembers that it failed but not why, and a later flush of nothing may seem to succeed.
void Output::write_result(std::string_view text) {
  const int problem = write_line(stdout, text, !gathers_);
  if (problem_ == 0) problem_ = problem;
}

// After the results before it, also when both go to one file.
void Output::write_problem(std::string_view text) {
  if (gathers_) std::fflush(stdout);
  write_line(stderr, text);
}

base::Status Output::finish() {
  const base::MutexLock lock(mutex_);
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (!flushed && problem_ == 0) problem_ = errno != 0 ? errno : EIO;
  if (problem_ == 0) return {};
  return base::fail(base::Error::from_errno("cannot write to standard output", problem_));
}

struct ProgressLine::State {
  State(Output& its_output, const base::Progress& its_progress, std::string_view its_verb)
      : output(its_output), progress(its_progress), verb(its_verb) {}

  Output& output;
  const base::Progress& progress;
  std::string verb;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  std::mutex mutex;
  std::condition_variable wake;
  bool ended = false;
  std::thread thread;

  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); }
  void run();
  void show_json();
  void show_terminal();
};

void ProgressLine::State::run() {
  std::unique_lock lock(mutex);
  while (!wake.wait_for(lock, output.json_ ? std::chrono::milliseconds(kJsonPeriod) : kTerminalPeriod,
                        [this] { return ended; })) {
    output.json_ ? show_json() : show_terminal();
  }
}

void ProgressLine::State::show_json() {
  output.object({{"type", "progress"},
                 {"seconds", seconds()},
                 {"files_done", progress.files_done.load()},
                 {"files_total", progress.files_total.load()},
                 {"bytes_done", progress.bytes_done.load()},
                 {"bytes_total", progress.bytes_total.load()},
                 {"bytes_stored", progress.bytes_stored.load()},
                 {"problems", progress.problems.load()}});
}

void ProgressLine::State::show_terminal() {
  const double elapsed = seconds();
  const auto done = progress.bytes_done.load();
  const auto total = progress.bytes_total.load();
  std::string text = fmt::format("{} {}", verb, base::human_size(done));
  if (total > 0)
    text += fmt::format(" of {} ({:.0f} %)", base::human_size(total),
                        100.0 * static_cast<double>(done) / static_cast<double>(total));
  if (const auto files = progress.files_done.load(); files > 0) text += ", " + base::human_count(files, "file");
  if (elapsed > 0.5 && done > 0) {
    const double rate = static_cast<double>(done) / elapsed;
    text += ", " + base::human_rate(rate);
    if (total > done) text += fmt::format(", {} left", base::human_duration(static_cast<double>(total - done) / rate));
  }
  if (const auto problems = progress.problems.load(); problems > 0) {
    text += ", " + base::human_count(problems, "problem");
  }
  text.resize(std::min(text.size(), terminal_width() - 1));
  base::MutexLock lock(output.mutex_);
  std::fprintf(stderr, "\r%s\033[K", text.c_str());
  std::fflush(stderr);
  output.progress_shown_ = true;
}

ProgressLine::ProgressLine(Output& output, const base::Progress& progress, std::string_view verb)
    : state_(std::make_unique<State>(output, progress, verb)) {
  if (output.shows_progress()) state_->thread = std::thread([this] { state_->run(); });
}

ProgressLine::~ProgressLine() {
  {
    std::lock_guard lock(state_->mutex);
    state_->ended = true;
  }
  state_->wake.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
  base::MutexLock lock(state_->output.mutex_);
  state_->output.clear_progress();
}

}  // namespace kura::app
