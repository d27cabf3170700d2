// The few file operations that the folder store is made of, behind an interface so that tests can fail them, delay
// them and lose what was not synced.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::store {

// Shared by threads. A symlink as the last component of a path is never followed: it is Type::kOther, and kDamaged
// to the functions that read; "link/." asks for the folder behind it. Errors carry the path and what the system said.
class FileSystem {
 public:
  enum class Type { kFile, kFolder, kOther };  // kOther: symlinks, devices, fifos
  struct Entry {
    std::string name;
    Type type = Type::kOther;
    std::uint64_t size = 0;     // bytes
    std::int64_t modified = 0;  // ns since 1970
  };
  // A file being written; closed by the destructor.
  class File {
   public:
    virtual ~File() = default;
    // Appends all of `bytes`. After an error some of them may be in the file.
    virtual base::Status write(base::ByteSpan bytes) = 0;
    virtual base::Status sync() = 0;  // contents only; the name needs sync_folder()
    // The time that Entry::modified tells, ns since 1970, until the next write.
    virtual base::Status set_modified(std::int64_t time) = 0;
  };

  virtual ~FileSystem() = default;
  // A new file that nobody else has, readable by its owner alone; kExists when the name is taken.
  virtual base::Result<std::unique_ptr<File>> create(const std::string& path) = 0;
  // Atomic; what was at `to` is replaced.
  virtual base::Status rename(const std::string& from, const std::string& to) = 0;
  virtual base::Status remove(const std::string& path) = 0;
  virtual base::Status make_folder(const std::string& path) = 0;  // no error when it is there
  // The names in it, as far as they changed until now, are durable when this returns.
  virtual base::Status sync_folder(const std::string& path) = 0;
  virtual base::Result<Entry> stat(const std::string& path) = 0;  // `name` is left empty
  // "." and ".." left out; what vanishes meanwhile is left out too.
  virtual base::Result<std::vector<Entry>> list(const std::string& path) = 0;
  // Exactly out.size() bytes; kDamaged when the file ends before.
  virtual base::Status read_at(const std::string& path, std::uint64_t offset, base::MutableByteSpan out) = 0;
  // The whole file; kDamaged when it has more than `limit` bytes, before anything is read.
  virtual base::Result<base::Bytes> read_all(const std::string& path, std::uint64_t limit) = 0;
};

// The operating system's. Lives as long as the program.
FileSystem& posix_file_system();

}  // namespace kura::store
