// What comes to a door: knocks from anywhere, requests at the helper's socket, its answers, hours in a journal.
#include "door/request.h"
#include "pki/knock.h"
#include "support/fuzz_support.h"
#include "vault/door/schedule.h"

namespace kura {
namespace {

void try_knock(base::ByteSpan bytes) {
  static const pki::PrivateKey key = pki::PrivateKey::generate();
  const auto knock = [&] {
    const fuzz::AllocationWatch watch(bytes.size());
    return pki::Knock::decode(bytes);
  }();
  if (!knock) return;
  const auto again = pki::Knock::decode(knock->encode(key));
  fuzz::require(again && *again == *knock, "what was read can be written and read again");
}

void try_request(std::string_view line) {
  const auto request = kura::door::Request::parse(line);
  if (!request) return;
  const auto again = kura::door::Request::parse(request->encode());
  fuzz::require(again && again->what == request->what && again->address == request->address,
                "what was read can be written and read again");
  if (!request->address) return;
  const std::string rules = kura::door::opening(*request->address, request->time);
  fuzz::require(rules.find_first_of(";\"'#$") == std::string::npos, "an address adds nothing to a rule");
}

void try_schedule(std::string_view text) {
  const auto schedule = vault::Schedule::parse(text);
  if (!schedule) return;
  const auto again = vault::Schedule::parse(schedule->text());
  fuzz::require(again && again->text() == schedule->text(), "hours that were read can be written and read again");
}

}  // namespace

void fuzz::door(base::ByteSpan input) {
  const FuzzInput parts(input, 4);
  if (parts.choice == 0) try_knock(parts.bytes);
  if (parts.choice == 1) try_request(base::as_text(parts.bytes));
  if (parts.choice == 2) {
    [[maybe_unused]] const auto standing = kura::door::parse_answer(base::as_text(parts.bytes));
  }
  if (parts.choice == 3) try_schedule(base::as_text(parts.bytes));
}

}  // namespace kura
