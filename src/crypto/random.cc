#include "crypto/random.h"

#include <sys/random.h>

#include <cerrno>

#include "crypto/openssl.h"

namespace kura::crypto {

// Straight from the kernel, with no generator state in this process: after a fork, or when a virtual machine is rolled
// back to an older image (the kernel hears of it and reseeds), a state kept here would repeat itself.
void fill_random(base::MutableByteSpan out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    require(got > 0, "getrandom");
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

base::Bytes random_bytes(std::size_t count) {
  base::Bytes bytes(count);
  fill_random(bytes);
  return bytes;
}

base::Key random_key() {
  base::Key key;
  fill_random(key.writable());
  return key;
}

}  // namespace kura::crypto
