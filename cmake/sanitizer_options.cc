// Options of the sanitizers, linked into every program and test of a sanitizer build, so that they hold however the
// program is started. A finding aborts: kura's own exit codes (0 to 5) stay free of it, and a test that expects
// exit 1 cannot mistake a finding for its error.

// Names and lines in the stack traces: by the package llvm-19.
#define KURA_SYMBOLIZER "external_symbolizer_path=/usr/bin/llvm-symbolizer-19"

// NOLINTBEGIN(bugprone-reserved-identifier): the runtimes look for these names
extern "C" {

// The runtime looks these up by name; nothing here calls them.
const char* __asan_default_options();
const char* __ubsan_default_options();
const char* __tsan_default_options();
const char* __lsan_default_options();

__attribute__((used, visibility("default"))) const char* __asan_default_options() {
  return KURA_SYMBOLIZER
      ":abort_on_error=1:detect_leaks=1:check_initialization_order=1:strict_init_order=1:"
      "detect_stack_use_after_return=1:"
      // Freed memory waits in a small queue and threads that live shortly get small stacks: else half of the time of
      // the tests with many threads goes into new pages.
      "quarantine_size_mb=16:max_uar_stack_size_log=16";
}

__attribute__((used, visibility("default"))) const char* __lsan_default_options() { return "exitcode=86"; }

__attribute__((used, visibility("default"))) const char* __ubsan_default_options() {
  return KURA_SYMBOLIZER ":abort_on_error=1:halt_on_error=1:print_stacktrace=1";
}

__attribute__((used, visibility("default"))) const char* __tsan_default_options() {
  return KURA_SYMBOLIZER ":halt_on_error=1:abort_on_error=1:second_deadlock_stack=1:history_size=4";
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
