// One process that judges (judge_server.h), as those who ask see it.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "detect/confined/channel.h"

namespace kura::detect {

// Ended and waited for when it goes. For one thread at a time.
class JudgeProcess {
 public:
  // Runs `program` with the one argument kServeJudge and an empty environment, and waits until it is confined.
  static base::Result<JudgeProcess> start(const std::string& program, const Patience& patience);
  JudgeProcess(JudgeProcess&& other) noexcept;
  JudgeProcess& operator=(JudgeProcess&&) = delete;
  ~JudgeProcess();

  // kSharedBytes: what it sees of contents in memory.
  base::MutableByteSpan shared() const { return shared_; }
  // The answer to a request with its open files; at most `limit` bytes. After an error the process is of no use.
  base::Result<base::Bytes> ask(base::ByteSpan request, std::span<const int> files, std::size_t limit,
                                const Patience& patience) const;
  // Ends it, and says how it had ended: "it was ended by signal 11 (Segmentation fault)". Empty when it still ran.
  std::string end();

 private:
  JudgeProcess(Channel channel, base::MutableByteSpan shared) : channel_(std::move(channel)), shared_(shared) {}

  Channel channel_;
  base::MutableByteSpan shared_;
  pid_t pid_ = -1;
};

}  // namespace kura::detect
