// Which of the files that went are there under other names, as an attack has left them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace kura::archive {

// A file that went or came between two backups; `number` says between which.
struct CameFile {
  std::size_t number = 0;
  std::uint64_t size = 0;
  bool is_broken = false;
};
struct GoneFileVersion {
  std::size_t number = 0;
  std::uint64_t size = 0;
};

// Files that went at one time, by folder and size.
class HiddenFiles {
 public:
  void went(const std::string& path, std::uint64_t size);
  // The only one of this size that went from its folder, where its own name says nothing; null else. Lasts as this
  // does.
  const std::string* before(const std::string& path, std::uint64_t size) const;

 private:
  std::multimap<std::pair<std::string, std::uint64_t>, std::string> paths_;
};

class RenamedFiles {
 public:
  // By absolute paths. First what is broken is taken for what went from the same folder at the same time: by a name
  // with something behind it, by the same name with another extension, by its size. The extensions that those got are
  // the attack's, and so whatever else came with one of them where its own file went is the attack's work too, whether
  // it looks broken or not.
  RenamedFiles() = default;
  RenamedFiles(const std::map<std::string, GoneFileVersion>& gone, const std::map<std::string, CameFile>& came);

  // The path now, by the path before.
  const std::map<std::string, std::string>& now() const { return now_; }
  // Whether a file that came has a name that only the attack gives.
  bool has_its_name(std::string_view path) const;
  // Whether it came where another one went, and is taken for that one's.
  bool is_taken(const std::string& path) const { return taken_.contains(path); }

 private:
  using Files = std::map<std::string, CameFile>;
  void match(const std::map<std::string, GoneFileVersion>& gone, const Files& came, bool learn);
  void learn_nameless(std::size_t length);
  void match_nameless(const std::map<std::string, GoneFileVersion>& gone, const Files& others);

  std::map<std::string, std::string> now_;
  std::set<std::string> taken_;       // of came
  std::set<std::string> extensions_;  // of the attack, with the dot; empty: names without one
  std::size_t nameless_ = 0;          // broken ones that have such names
  std::size_t nameless_length_ = 0;   // of all those names; 0: they have several
};

}  // namespace kura::archive
