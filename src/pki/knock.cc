#include "pki/knock.h"

#include <algorithm>
#include <array>

#include "base/codec.h"
#include "pki/openssl.h"

namespace kura::pki {
namespace {

constexpr std::array<std::uint8_t, 8> kMagic{'K', 'U', 'R', 'A', 'K', 'N', 'O', 'K'};
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMostCertificate = 1024;  // bytes
constexpr std::size_t kMostSignature = 72;      // bytes of DER, on P-256
constexpr std::string_view kSignedFor = "kura knock v1";

struct Parts {
  Knock knock;
  base::ByteSpan before_signature;
  base::ByteSpan signature;
};

// So that no signature over anything else can be taken for one over a knock.
base::Bytes signed_text(base::ByteSpan before_signature) {
  base::Bytes text(kSignedFor.begin(), kSignedFor.end());
  text.insert(text.end(), before_signature.begin(), before_signature.end());
  return text;
}

KnockPurpose decode_purpose(base::Decoder& in) {
  const std::uint8_t value = in.u8();
  if (value != 1 && value != 2) in.fail("its purpose is not known");
  return static_cast<KnockPurpose>(value);
}

base::Result<Parts> take_apart(base::ByteSpan datagram) {
  if (datagram.size() > kKnockLimit) return base::fail(base::ErrorCode::kDamaged, "the knock is too long");
  base::Decoder in(datagram);
  if (!std::ranges::equal(in.raw(kMagic.size()), kMagic) || in.u8() != kVersion) in.fail("it does not begin as one");
  Parts parts;
  parts.knock.purpose = decode_purpose(in);
  parts.knock.counter = in.u64();
  parts.knock.authority = in.digest();
  const base::ByteSpan certificate = in.string(kMostCertificate);
  parts.knock.certificate.assign(certificate.begin(), certificate.end());
  parts.before_signature = datagram.first(in.position());
  parts.signature = in.string(kMostSignature);
  KURA_TRY(in.finish("the knock"));
  return parts;
}

}  // namespace

base::Bytes Knock::encode(const PrivateKey& key) const {
  base::Encoder out;
  out.raw(kMagic).u8(kVersion).u8(static_cast<std::uint8_t>(purpose)).u64(counter).raw(authority.span());
  out.string(certificate);
  const base::Bytes text = signed_text(out.bytes());
  const crypto::Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  require(context != nullptr, "EVP_MD_CTX_new");
  require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1, "EVP_DigestSignInit");
  std::array<std::uint8_t, kMostSignature> signature{};
  std::size_t size = signature.size();
  require(EVP_DigestSign(context.get(), signature.data(), &size, text.data(), text.size()) == 1, "EVP_DigestSign");
  return out.string(base::ByteSpan(signature).first(size)).take();
}

base::Result<Knock> Knock::decode(base::ByteSpan datagram) { return KURA_TRY(take_apart(datagram)).knock; }

bool is_knock_signed_by(base::ByteSpan datagram, const Certificate& certificate) {
  const auto parts = take_apart(datagram);
  EVP_PKEY* const key = X509_get0_pubkey(certificate.get());
  if (!parts || key == nullptr || !is_on_p256(key)) return false;
  const base::Bytes text = signed_text(parts->before_signature);
  const crypto::Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  require(context != nullptr, "EVP_MD_CTX_new");
  const bool good =
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(context.get(), parts->signature.data(), parts->signature.size(), text.data(), text.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace kura::pki
