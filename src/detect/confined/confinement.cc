#include "detect/confined/confinement.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>
#include <memory>

namespace kura::detect {
namespace {

using base::Status;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_KILL_PROCESS), seccomp_release) {}

  void allow(std::initializer_list<int> calls) {
    for (const int call : calls) add(SCMP_ACT_ALLOW, call, {});
  }
  // Only where the bits of `mask` in argument `number` are `value`.
  void allow_masked(int call, unsigned number, std::uint64_t mask, std::uint64_t value) {
    add(SCMP_ACT_ALLOW, call, {{.arg = number, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value}});
  }
  // Of this process only, for abort(3).
  void allow_signals_to_itself() {
    add(SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
        {{.arg = 0, .op = SCMP_CMP_EQ, .datum_a = static_cast<std::uint64_t>(::getpid()), .datum_b = 0}});
  }
  void refuse(std::initializer_list<int> calls) {
    for (const int call : calls) add(SCMP_ACT_ERRNO(EACCES), call, {});
  }
  Status load() {
    if (context_ == nullptr) failed_ = -ENOMEM;
    if (failed_ == 0) failed_ = seccomp_load(context_.get());
    if (failed_ == 0) return {};
    return base::fail(base::Error::from_errno("cannot limit the system calls of a process (seccomp)", -failed_));
  }

 private:
  void add(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> where) {
    if (context_ == nullptr || failed_ != 0) return;
    failed_ = seccomp_rule_add_array(context_.get(), action, call, static_cast<unsigned>(where.size()), where.begin());
  }

  std::unique_ptr<void, decltype(&seccomp_release)> context_;
  int failed_ = 0;
};

Status limit(decltype(RLIMIT_AS) what, rlim_t most) {
  const rlimit wanted{.rlim_cur = most, .rlim_max = most};
  if (::setrlimit(what, &wanted) == 0) return {};
  return base::fail(base::Error::from_errno("cannot limit what a process may use", errno));
}

Status filter_calls() {
  Filter filter;
  filter.allow({SCMP_SYS(read),         SCMP_SYS(pread64),        SCMP_SYS(recvmsg),
                SCMP_SYS(sendmsg),      SCMP_SYS(poll),           SCMP_SYS(close),
                SCMP_SYS(munmap),       SCMP_SYS(mremap),         SCMP_SYS(brk),
                SCMP_SYS(madvise),      SCMP_SYS(futex),          SCMP_SYS(clock_gettime),
                SCMP_SYS(getrandom),    SCMP_SYS(gettid),         SCMP_SYS(getpid),
                SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall),
                SCMP_SYS(exit),         SCMP_SYS(exit_group)});
  filter.allow_signals_to_itself();
  filter.allow_masked(SCMP_SYS(mmap), 2, PROT_EXEC, 0);
  filter.allow_masked(SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
  // The C library looks at files of the system now and then, and does without.
  filter.refuse({SCMP_SYS(open), SCMP_SYS(openat)});
  if (kSanitized) {
    filter.allow({SCMP_SYS(pipe2), SCMP_SYS(write), SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield),
                  SCMP_SYS(rt_sigaction), SCMP_SYS(prctl), SCMP_SYS(getrlimit), SCMP_SYS(prlimit64)});
    filter.refuse({SCMP_SYS(readlink), SCMP_SYS(socket), SCMP_SYS(connect)});
  }
  return filter.load();
}

}  // namespace

Status confine() {
  if (::prctl(PR_SET_DUMPABLE, 0) != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return base::fail(base::Error::from_errno("cannot give up privileges", errno));
  }
  KURA_TRY(limit(RLIMIT_CORE, 0));
  KURA_TRY(limit(RLIMIT_FSIZE, 0));
  if (!kSanitized) KURA_TRY(limit(RLIMIT_AS, kMostMemory));
  return filter_calls();
}

}  // namespace kura::detect
