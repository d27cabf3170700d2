#include "crypto/aead.h"

#include <algorithm>
#include <utility>

#include <openssl/crypto.h>

#include "crypto/openssl.h"

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace kura::crypto {
namespace {

// OpenSSL counts in int; longer texts go through it in pieces of this size.
constexpr std::size_t kMaxPiece = std::size_t{1} << 30;

bool has_aes_instructions() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__)
  return (getauxval(AT_HWCAP) & (HWCAP_AES | HWCAP_PMULL)) == (HWCAP_AES | HWCAP_PMULL);
#else
  return false;
#endif
}

// Fetched once for the process, since a fetch takes locks and a search.
const EVP_CIPHER* cipher_of(AeadKind kind) {
  static EVP_CIPHER* const aes = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  static EVP_CIPHER* const chacha = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  const EVP_CIPHER* cipher = kind == AeadKind::kAes256Gcm ? aes : chacha;
  require(cipher != nullptr, "EVP_CIPHER_fetch");
  return cipher;
}

void add_associated(EVP_CIPHER_CTX* context, base::ByteSpan associated) {
  require(associated.size() <= kMaxPiece, "associated data");
  if (associated.empty()) return;
  int written = 0;
  require(EVP_CipherUpdate(context, nullptr, &written, associated.data(), static_cast<int>(associated.size())) == 1,
          "EVP_CipherUpdate");
}

void transform(EVP_CIPHER_CTX* context, base::ByteSpan in, std::uint8_t* out) {
  while (!in.empty()) {
    const std::size_t piece = std::min(in.size(), kMaxPiece);
    int written = 0;
    require(EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(piece)) == 1, "EVP_CipherUpdate");
    in = in.subspan(piece);
    out += piece;
  }
}

// False when a tag was set and does not match.
bool finish(EVP_CIPHER_CTX* context) {
  std::uint8_t nothing[EVP_MAX_BLOCK_LENGTH];
  int written = 0;
  return EVP_CipherFinal_ex(context, nothing, &written) == 1;
}

}  // namespace

AeadKind preferred_aead() {
  static const AeadKind kind = has_aes_instructions() ? AeadKind::kAes256Gcm : AeadKind::kChaCha20Poly1305;
  return kind;
}

bool is_aead_kind(std::uint8_t value) {
  return value == std::to_underlying(AeadKind::kAes256Gcm) || value == std::to_underlying(AeadKind::kChaCha20Poly1305);
}

Nonce Nonce::counter(std::uint64_t value) {
  Nonce nonce;
  for (std::size_t i = 0; i < sizeof value; ++i) nonce.bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  return nonce;
}

// One context for both directions: the key schedule is made once, a message only sets nonce and direction.
struct Aead::State {
  Owned<EVP_CIPHER_CTX> context{EVP_CIPHER_CTX_new()};

  void start(const Nonce& nonce, bool encrypt) {
    require(EVP_CipherInit_ex2(context.get(), nullptr, nullptr, nonce.bytes.data(), encrypt ? 1 : 0, nullptr) == 1,
            "EVP_CipherInit_ex2");
  }
};

Aead::Aead(AeadKind kind, const base::Key& key) : state_(std::make_unique<State>()) {
  require(state_->context != nullptr, "EVP_CIPHER_CTX_new");
  require(EVP_CipherInit_ex2(state_->context.get(), cipher_of(kind), key.span().data(), nullptr, 1, nullptr) == 1,
          "EVP_CipherInit_ex2");
}
Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

void Aead::seal(const Nonce& nonce, base::ByteSpan associated, base::MutableByteSpan text, base::MutableByteSpan tag) {
  require(tag.size() == kTagSize, "seal: tag size");
  EVP_CIPHER_CTX* context = state_->context.get();
  state_->start(nonce, true);
  add_associated(context, associated);
  transform(context, text, text.data());
  require(finish(context), "EVP_CipherFinal_ex");
  require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kTagSize), tag.data()) == 1,
          "EVP_CTRL_AEAD_GET_TAG");
}

bool Aead::open(const Nonce& nonce, base::ByteSpan associated, base::ByteSpan sealed, base::MutableByteSpan text) {
  if (sealed.size() < kTagSize || text.size() != sealed.size() - kTagSize) {
    OPENSSL_cleanse(text.data(), text.size());
    return false;
  }
  // A copy of the tag: OpenSSL's setter takes writable memory.
  std::array<std::uint8_t, kTagSize> tag{};
  std::ranges::copy(sealed.last(kTagSize), tag.begin());

  EVP_CIPHER_CTX* context = state_->context.get();
  state_->start(nonce, false);
  require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kTagSize), tag.data()) == 1,
          "EVP_CTRL_AEAD_SET_TAG");
  add_associated(context, associated);
  transform(context, sealed.first(text.size()), text.data());
  if (finish(context)) return true;
  OPENSSL_cleanse(text.data(), text.size());
  return false;
}

base::Bytes Aead::seal(const Nonce& nonce, base::ByteSpan associated, base::ByteSpan text) {
  base::Bytes sealed(text.size() + kTagSize);
  std::ranges::copy(text, sealed.begin());
  const base::MutableByteSpan all(sealed);
  seal(nonce, associated, all.first(text.size()), all.last(kTagSize));
  return sealed;
}

std::optional<base::Bytes> Aead::open(const Nonce& nonce, base::ByteSpan associated, base::ByteSpan sealed) {
  if (sealed.size() < kTagSize) return std::nullopt;
  base::Bytes text(sealed.size() - kTagSize);
  if (!open(nonce, associated, sealed, text)) return std::nullopt;
  return text;
}

}  // namespace kura::crypto
