#include "guard/actors/actor.h"

#include <fmt/format.h>

namespace kura::guard {

std::string ActorName::key() const {
  switch (kind) {
    case ActorKind::kSamba:
      return fmt::format("smb:{}:{}:{}", address, account, share);
    case ActorKind::kLocal:
      return fmt::format("local:{}:{}:{}", user, program, unit);
    case ActorKind::kUnseen:
      return "unseen";
  }
  std::unreachable();
}

std::string ActorName::text() const {
  switch (kind) {
    case ActorKind::kSamba:
      return address.empty() ? "a client of Samba that is not known yet"
                             : fmt::format("{} at {} (share {})", account, address, share.empty() ? "?" : share);
    case ActorKind::kLocal:
      return fmt::format("{} of user {}{}", program.empty() ? "the kernel" : program, user,
                         unit.empty() ? std::string() : " in " + unit);
    case ActorKind::kUnseen:
      return "somebody, while the guard did not look";
  }
  std::unreachable();
}

}  // namespace kura::guard
