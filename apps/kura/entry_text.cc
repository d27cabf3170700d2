#include "entry_text.h"

#include <fmt/format.h>

#include "app/output.h"
#include "base/escape.h"
#include "base/human.h"
#include "base/time.h"

namespace kura::app {

namespace {

using archive::Entry;
using archive::EntryType;

std::string_view kind_name(EntryType type) {
  switch (type) {
    case EntryType::kFile:
      return "file";
    case EntryType::kFolder:
      return "folder";
    case EntryType::kSymlink:
      return "symlink";
    case EntryType::kFifo:
      return "fifo";
    case EntryType::kCharDevice:
      return "character device";
    case EntryType::kBlockDevice:
      return "block device";
    case EntryType::kSocket:
      return "socket";
  }
  return "unknown";
}

std::string mode_text(const Entry& entry) {
  std::string text = "?rwxrwxrwx";
  text[0] = "?-dlpcbs"[static_cast<std::size_t>(entry.type)];
  for (unsigned bit = 0; bit < 9; ++bit) {
    if ((entry.mode >> (8 - bit) & 1) == 0) text[1 + bit] = '-';
  }
  const auto special = [&](std::uint32_t flag, std::size_t at, char with_x, char without) {
    if ((entry.mode & flag) != 0) text[at] = text[at] == 'x' ? with_x : without;
  };
  special(04000, 3, 's', 'S');
  special(02000, 6, 's', 'S');
  special(01000, 9, 't', 'T');
  return text;
}

std::string owner_text(const std::string& name, std::uint32_t number) {
  return name.empty() ? std::to_string(number) : base::printable(name);
}

}  // namespace

std::string short_line(const std::string& path, const Entry& entry) {
  return base::printable(path) + (entry.type == EntryType::kFolder ? "/" : "");
}

std::string long_line(const std::string& path, const Entry& entry) {
  const bool device = entry.type == EntryType::kCharDevice || entry.type == EntryType::kBlockDevice;
  const std::string size =
      device ? fmt::format("{}, {}", entry.device_major, entry.device_minor) : base::human_count(entry.size);
  const std::string link = entry.type == EntryType::kSymlink ? " -> " + base::printable(entry.target) : "";
  return fmt::format("{} {:<8} {:<8} {:>14} {} {}{}", mode_text(entry), owner_text(entry.user, entry.uid),
                     owner_text(entry.group, entry.gid), size, base::format_rfc3339_seconds(entry.mtime_seconds),
                     short_line(path, entry), link);
}

boost::json::object entry_json(const std::string& path, const Entry& entry) {
  boost::json::object value{{"type", "entry"},
                            {"path", json_text(path)},
                            {"kind", kind_name(entry.type)},
                            {"size", entry.size},
                            {"mode", entry.mode},
                            {"uid", entry.uid},
                            {"gid", entry.gid},
                            {"user", json_text(entry.user)},
                            {"group", json_text(entry.group)},
                            {"mtime", base::format_rfc3339_seconds(entry.mtime_seconds)}};
  value["target"] = entry.type == EntryType::kSymlink ? boost::json::value(json_text(entry.target)) : nullptr;
  return value;
}

}  // namespace kura::app
