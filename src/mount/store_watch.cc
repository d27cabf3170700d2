#include "mount/store_watch.h"

#include <utility>

#include <fmt/format.h>

namespace kura::mount {

using base::Error;

base::Status StoreWatch::is_there() {
  const auto config = repository_.store().stat(store::Kind::kConfig, repository_.config_id());
  if (config) return {};
  Error error(base::ErrorCode::kIo,
              fmt::format("{} does not answer ({})", repository_.store().describe(), config.error().message()),
              "see whether its disk is mounted; until it is back, reading gives errors");
  {
    const auto told = told_.lock();
    *told = error;
    is_away_.store(true, std::memory_order_relaxed);
  }
  troubles_.met("", error);
  return base::fail(std::move(error));
}

void StoreWatch::came_back() {
  const auto told = told_.lock();
  is_away_.store(false, std::memory_order_relaxed);
  if (*told) troubles_.mended(**told);
  told->reset();
}

}  // namespace kura::mount
