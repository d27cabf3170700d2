// The names in a folder, sorted by their bytes, in as little memory as they need.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"

namespace kura::archive {

class FolderNames {
 public:
  FolderNames() = default;

  // Reads all of the folder behind `fd` from where it stands; "." and ".." are left out. What was read before an error
  // is kept, sorted. A million names of 20 bytes take about 40 MB.
  base::Status read(int fd);
  // A list made otherwise; `name` has no zero byte. Call sort() after the last one.
  void add(const char* name);
  void sort();

  std::size_t size() const { return begins_.size(); }
  const char* operator[](std::size_t at) const { return bytes_.data() + begins_[at]; }

 private:
  std::string bytes_;  // each with a zero behind it
  std::vector<std::size_t> begins_;
};

}  // namespace kura::archive
