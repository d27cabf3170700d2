#include "vault/pull/damage_there.h"

namespace kura::vault {

void DamageThere::take(const Entry& entry) {
  if (entry.sequence <= seen_) return;
  seen_ = entry.sequence;
  const Event& event = entry.event;
  switch (event.type) {
    case EventType::kAlarm:
      for (const store::ObjectId& id : event.objects) {
        if (is_here_(event.kind, id)) objects_.insert_or_assign(id, event.kind);
      }
      return;
    case EventType::kRepair:
    case EventType::kCollect:
    case EventType::kExpire:
    case EventType::kDelete:
      for (const store::ObjectId& id : event.objects) objects_.erase(id);
      return;
    default:
      return;
  }
}

void DamageThere::begin_anew() {
  seen_ = 0;
  objects_.clear();
}

}  // namespace kura::vault
