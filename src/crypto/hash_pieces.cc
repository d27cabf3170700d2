#include "crypto/hash_pieces.h"

#include <algorithm>
#include <memory>

#define NO_COMPAT_IMB_API_053  // its old names clash with OpenSSL's
#include <intel-ipsec-mb.h>

#include "base/simd.h"
#include "crypto/openssl.h"

namespace kura::crypto {
namespace {

struct FreeManager {
  void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
};

// One thread's lanes.
class Lanes {
 public:
  Lanes() {
    if (!base::simd_wanted()) return;
    manager_.reset(alloc_mb_mgr(0));
    if (!manager_) return;
    if (has(IMB_FEATURE_AVX512_SKX)) {
      init_mb_mgr_avx512(manager_.get());
      count_ = 16;
    } else if (has(IMB_FEATURE_SHANI)) {
      init_mb_mgr_sse(manager_.get());  // two at once by the instructions for SHA
      count_ = 2;
    } else if (has(IMB_FEATURE_AVX2)) {
      init_mb_mgr_avx2(manager_.get());
      count_ = 8;
    }
    if (imb_get_errno(manager_.get()) != 0) count_ = 0;
  }

  // Whether so many at once take less time than one after the other: a round takes as long as a full one.
  bool pays_for(std::size_t messages) const {
    return count_ != 0 && std::min(messages, count_) >= std::max<std::size_t>(2, 3 * count_ / 8);
  }
  std::size_t count() const { return count_; }

  // At most count() messages.
  void hash(ByteSpan text, std::size_t piece, Digest* digests) {
    for (; !text.empty(); text = text.subspan(std::min(piece, text.size()))) {
      submit(text.first(std::min(piece, text.size())), *digests++);
    }
    while (const IMB_JOB* done = IMB_FLUSH_JOB(manager_.get())) check(*done);
  }

 private:
  bool has(std::uint64_t features) const { return (manager_->features & features) == features; }
  static void check(const IMB_JOB& done) {
    require(done.status == IMB_STATUS_COMPLETED, "SHA-256 of several messages");
  }

  void submit(ByteSpan message, Digest& digest) {
    IMB_JOB* job = IMB_GET_NEXT_JOB(manager_.get());
    *job = {};
    job->cipher_mode = IMB_CIPHER_NULL;
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->chain_order = IMB_ORDER_HASH_CIPHER;
    job->hash_alg = IMB_AUTH_SHA_256;
    job->src = message.data();
    job->msg_len_to_hash_in_bytes = message.size();
    job->auth_tag_output = digest.bytes.data();
    job->auth_tag_output_len_in_bytes = digest.bytes.size();
    if (const IMB_JOB* done = IMB_SUBMIT_JOB(manager_.get())) check(*done);
  }

  std::unique_ptr<IMB_MGR, FreeManager> manager_;
  std::size_t count_ = 0;
};

}  // namespace

void sha256_of_pieces(ByteSpan text, std::size_t piece, std::vector<Digest>& digests) {
  require(piece != 0 && piece <= kMostPiece, "sha256_of_pieces");
  static thread_local Lanes lanes;
  digests.resize((text.size() + piece - 1) / piece);
  for (Digest* next = digests.data(); !text.empty();) {
    const std::size_t left = (text.size() + piece - 1) / piece;
    const std::size_t count = lanes.pays_for(left) ? std::min(left, lanes.count()) : 1;
    const ByteSpan now = text.first(std::min(count * piece, text.size()));
    if (count > 1) {
      lanes.hash(now, piece, next);
    } else {
      *next = sha256(now);
    }
    next += count;
    text = text.subspan(now.size());
  }
}

}  // namespace kura::crypto
