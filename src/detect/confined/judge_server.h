// The process in which contents are judged.
#pragma once

namespace kura::detect {

// The one argument by which a program says that it is such a process, and the descriptors that it then finds open.
inline constexpr const char* kServeJudge = "judge-contents";
inline constexpr int kJudgeSocket = 3;
inline constexpr int kJudgeMemory = 4;  // kSharedBytes of it

// Confines itself, then answers requests until the other end closes. Returns the exit code of the program.
int serve_judge();

}  // namespace kura::detect
