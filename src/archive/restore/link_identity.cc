#include "archive/restore/link_identity.h"

#include "crypto/hash.h"

namespace kura::archive {

base::Digest link_identity(const Entry& entry) {
  Entry bare;
  bare.type = entry.type;
  bare.name = "-";
  bare.size = entry.size;
  bare.content = entry.content;
  bare.target = entry.target;
  bare.device_major = entry.device_major;
  bare.device_minor = entry.device_minor;
  bare.extents = entry.extents;
  base::Encoder out;
  bare.encode(out);
  return crypto::sha256(out.bytes());
}

}  // namespace kura::archive
