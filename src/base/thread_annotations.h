// Names for clang's -Wthread-safety: which lock guards what is written down and checked by the compiler.
//
//   Mutex mutex_;
//   std::deque<int> waiting_ KURA_GUARDED_BY(mutex_);
//   void drop_oldest() KURA_REQUIRES(mutex_);
#pragma once

#if defined(__clang__)
#define KURA_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define KURA_THREAD_ATTRIBUTE(x)
#endif

#define KURA_CAPABILITY(name) KURA_THREAD_ATTRIBUTE(capability(name))
#define KURA_SCOPED_CAPABILITY KURA_THREAD_ATTRIBUTE(scoped_lockable)
#define KURA_GUARDED_BY(mutex) KURA_THREAD_ATTRIBUTE(guarded_by(mutex))
#define KURA_POINTEE_GUARDED_BY(mutex) KURA_THREAD_ATTRIBUTE(pt_guarded_by(mutex))
#define KURA_REQUIRES(...) KURA_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define KURA_EXCLUDES(...) KURA_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define KURA_ACQUIRE(...) KURA_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define KURA_RELEASE(...) KURA_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define KURA_TRY_ACQUIRE(...) KURA_THREAD_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define KURA_NO_THREAD_SAFETY_ANALYSIS KURA_THREAD_ATTRIBUTE(no_thread_safety_analysis)
