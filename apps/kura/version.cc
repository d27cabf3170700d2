// kura version
#include "base/version.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <zstd.h>

#include "archive/format/limits.h"
#include "command.h"
#include "crypto/aead.h"

namespace kura::app {

namespace {

base::Result<ExitCode> run_version(const Context& context) {
  const char* cipher = crypto::preferred_aead() == crypto::AeadKind::kAes256Gcm ? "AES-256-GCM" : "ChaCha20-Poly1305";
  const std::string openssl = OpenSSL_version(OPENSSL_VERSION_STRING);
  context.output.object({{"type", "summary"},
                         {"version", base::version()},
                         {"build", base::build_type()},
                         {"format", archive::kFormatVersion},
                         {"cipher", cipher},
                         {"openssl", openssl},
                         {"zstd", ZSTD_versionString()},
                         {"compiler", __VERSION__}});
  context.output.line(
      fmt::format("kura {} ({}), repository format {}", base::version(), base::build_type(), archive::kFormatVersion));
  context.output.note(fmt::format("cipher here: {}\nOpenSSL {}, zstd {}\nbuilt with {}", cipher, openssl,
                                  ZSTD_versionString(), __VERSION__));
  return kDone;
}

}  // namespace

void add_version(CommandTable& table) {
  table.add("version", "Show versions of the program, the format and the libraries", "Example:\n  kura version --json",
            run_version);
}

}  // namespace kura::app
