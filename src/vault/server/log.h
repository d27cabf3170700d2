// What a running vault writes down for machines to read: a JSON object a line, to standard error. What counts as proof
// is in the journals; this is for finding out what went on around them.
#pragma once

#include <memory>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/error.h"
#include "net/server.h"

namespace spdlog {
class logger;
}

namespace kura::vault {

// Shared by threads.
class Log {
 public:
  // "debug": every request; "info": what changes something; "warn": what was refused or went wrong; "off". kUsage for
  // another word.
  static base::Result<std::unique_ptr<Log>> open(std::string_view level);
  ~Log();

  // {"time", "level", "event", ...fields}
  void debug(std::string_view event, boost::json::object fields);
  void info(std::string_view event, boost::json::object fields);
  void warn(std::string_view event, boost::json::object fields);

  // A request and how it was answered, at the level that fits. `machine`: as the vault knows it; empty: a stranger.
  void request(const net::Request& request, unsigned status, std::string_view machine);

 private:
  explicit Log(std::shared_ptr<spdlog::logger> logger);
  void write(int level, std::string_view event, boost::json::object fields);

  const std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace kura::vault
