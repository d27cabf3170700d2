#include "vault/pull/alarms.h"

namespace kura::vault {

base::Status Alarms::load() {
  raised_.clear();
  return holding_.journal().for_each([this](const Entry& entry, base::ByteSpan) {
    const Event& event = entry.event;
    if (event.type != EventType::kAlarm || !event.text.starts_with(begin_)) return;
    if (event.who.empty()) {
      raised_.insert(event.text);
    } else {
      raised_.clear();
    }
  });
}

base::Status Alarms::accept(const std::string& who, const std::string& why) {
  return holding_.alarm(who.empty() ? "operator" : who, (begin_ + "accepted: " + why).substr(0, kTextLimit));
}

base::Result<bool> Alarms::raise(const std::string& why) {
  const std::string text = (begin_ + why).substr(0, kTextLimit);
  if (raised_.contains(text)) return false;
  KURA_TRY(holding_.alarm("", text));
  raised_.insert(text);
  if (!holding_.is_frozen()) KURA_TRY(holding_.freeze("", text));
  return true;
}

}  // namespace kura::vault
