#include "vault/server/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <utility>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/escape.h"
#include "base/time.h"

namespace kura::vault {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostOfPath = 300;  // bytes that a stranger may have written down

std::string_view name_of(int level) {
  if (level == spdlog::level::debug) return "debug";
  return level == spdlog::level::info ? "info" : "warn";
}

}  // namespace

Log::Log(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}
Log::~Log() = default;

base::Result<std::unique_ptr<Log>> Log::open(std::string_view level) {
  const auto threshold = spdlog::level::from_str(std::string(level));
  if (threshold == spdlog::level::off && level != "off") {
    return base::fail(base::ErrorCode::kUsage, fmt::format("'{}' is no level of a log", base::printable(level)),
                      "use debug, info, warn or off");
  }
  auto logger = std::make_shared<spdlog::logger>("vault", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  logger->set_level(threshold);
  logger->flush_on(spdlog::level::debug);
  return std::unique_ptr<Log>(new Log(std::move(logger)));
}

void Log::write(int level, std::string_view event, json::object fields) {
  const auto at = static_cast<spdlog::level::level_enum>(level);
  if (!logger_->should_log(at)) return;
  json::object line{{"time", base::format_rfc3339(base::now_ns(), base::TimePrecision::kMilliseconds)},
                    {"level", name_of(level)},
                    {"event", event}};
  line.insert(fields.begin(), fields.end());
  logger_->log(at, "{}", json::serialize(line));
}

void Log::debug(std::string_view event, json::object fields) { write(spdlog::level::debug, event, std::move(fields)); }
void Log::info(std::string_view event, json::object fields) { write(spdlog::level::info, event, std::move(fields)); }
void Log::warn(std::string_view event, json::object fields) { write(spdlog::level::warn, event, std::move(fields)); }

// Objects come by the thousand, so they are told of at the finest level; what is asked for and not there is usual.
void Log::request(const net::Request& request, unsigned status, std::string_view machine) {
  const bool refused = status == 0 || (status >= 400 && status != 404);
  const bool changes = request.method == "POST" || request.path.find("/snapshots/") != std::string::npos;
  const bool counts = changes && request.method != "GET" && request.method != "HEAD" && status < 400;
  const int level = refused ? spdlog::level::warn : counts ? spdlog::level::info : spdlog::level::debug;
  if (!logger_->should_log(static_cast<spdlog::level::level_enum>(level))) return;
  write(level, refused ? "refused" : "answered",
        {{"method", base::printable(request.method)},
         {"path", base::printable(request.path.substr(0, kMostOfPath))},
         {"status", status},
         {"machine", machine},
         {"address", request.peer.address}});
}

}  // namespace kura::vault
