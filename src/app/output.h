// What a person or a script sees. For people: results on standard output, progress and problems on standard error.
// With --json: one object a line on standard output, the summary last.
//
// Thread-safe, since problems come from workers while the progress line is drawn.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/error.h"
#include "base/mutex.h"
#include "base/progress.h"

namespace kura::app {

class Output {
 public:
  explicit Output(bool json, bool quiet);

  bool json() const { return json_; }
  bool quiet() const { return quiet_; }

  // Whether a ProgressLine shows anything.
  bool shows_progress() const { return json_ || (terminal_ && !quiet_); }

  // For long lists: from now on results reach a pipe or a file in large pieces instead of each at once.
  void gather_results();

  // A line for people; nothing with --json.
  void line(std::string_view text);
  // A line for people that --quiet leaves out.
  void note(std::string_view text);
  // A warning on standard error; with --json a {"type":"warning"} line.
  void warning(std::string_view text);
  // An error about one path (or none): standard error, or a {"type":"error"} line. `path` may be any bytes.
  void problem(std::string_view path, const base::Error& error);
  // One JSON line; nothing for people.
  void object(const boost::json::object& value);
  // One result: a line for people, or an object with --json. Only the one that is wanted is made.
  template <typename MakeLine, typename MakeObject>
  void result(const MakeLine& make_line, const MakeObject& make_object) {
    json_ ? object(make_object()) : line(make_line());
  }
  // Whether all of it has reached standard output: a result cut short by a full disk must not pass for one.
  base::Status finish();

 private:
  friend class ProgressLine;
  void clear_progress() KURA_REQUIRES(mutex_);
  void write_result(std::string_view text) KURA_REQUIRES(mutex_);
  void write_problem(std::string_view text) KURA_REQUIRES(mutex_);

  const bool json_;
  const bool quiet_;
  const bool terminal_;  // standard error is one
  base::Mutex mutex_;
  bool gathers_ KURA_GUARDED_BY(mutex_) = false;
  bool progress_shown_ KURA_GUARDED_BY(mutex_) = false;
  int problem_ KURA_GUARDED_BY(mutex_) = 0;  // the first error's number on standard output
};

// Shows `progress` while it lives: on a terminal a line with rate and time left, with --json a line a second.
class ProgressLine {
 public:
  ProgressLine(Output& output, const base::Progress& progress, std::string_view verb);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a job stored is safe, but some of it lacks parity: a warning, if there is a problem.
void warn_of_parity(Output& output, const std::optional<base::Error>& problem);

// Any bytes as a JSON string: UTF-8 as it is, other bytes as \xNN.
boost::json::string json_text(std::string_view bytes);

}  // namespace kura::app
