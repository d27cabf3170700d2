// What this machine remembers of the files of its last backup of a series, so that unchanged ones are not read again.
//
// The file lies in walk order, and so is the next walk: both are read side by side in constant memory. It is a cache:
// losing it costs time. It is written to a temporary beside it and takes its place after the commit; blocks carry
// checksums, and at the first thing that is wrong with it the rest is not used.
//
//   STATE/<config id>/<series>.files: magic "KURAFILE", u16 version, config id, then blocks: u32 size, u64 number,
//   SHA-256 over number and bytes, bytes (records). A record has the length of the path it shares with the one before,
//   the rest of the path, and the fields of CachedFile.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/backup/file_judge.h"
#include "archive/backup/file_stamp.h"
#include "archive/backup/id_list.h"
#include "archive/backup/xattrs.h"
#include "archive/format/entry.h"
#include "base/bytes.h"
#include "base/codec.h"
#include "base/error.h"
#include "store/object.h"

namespace kura::archive {

struct CachedFile {
  FileStamp stamp;
  bool trusted = false;  // false: it may have changed without a sign; good for telling "changed" from "new"
  WrittenContent content;
  std::uint64_t size = 0;  // of the contents, holes included
  std::optional<std::vector<Extent>> extents;
  Xattrs xattrs;
  std::optional<JudgedVersion> judged;
};

// Reads the cache of the backup before. Not shared between threads.
class FileCacheReader {
 public:
  // An absent, foreign or damaged file is an empty cache.
  FileCacheReader(const std::string& path, const store::ObjectId& config);
  ~FileCacheReader();

  // Told of what is passed over: files of the backup before that nobody asks for, which are gone.
  using OnPassed = std::function<void(const std::string& path, const CachedFile& file)>;
  void on_passed(OnPassed on_passed) { on_passed_ = std::move(on_passed); }
  // Passes over all that is left.
  void finish();

  // What is known of `path`, or null. Paths must come in walk order. Valid until the next call.
  const CachedFile* find(const std::string& path);

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  bool read_header(const store::ObjectId& config);
  bool read_block();
  bool next();
  void give_up();
  void pass_over();

  std::unique_ptr<std::FILE, CloseFile> file_;
  base::Bytes block_;
  std::size_t consumed_ = 0;  // of block_
  std::uint64_t block_number_ = 0;
  std::string path_;  // of current_
  CachedFile current_;
  bool has_current_ = false;
  bool was_found_ = false;  // current_ was asked for
  OnPassed on_passed_;
};

// Writes the cache of this backup. Not shared between threads. When it cannot be written, there will be none.
class FileCacheWriter {
 public:
  // Will be at `path` after commit(); until then in a temporary beside it, which the destructor removes.
  FileCacheWriter(std::string path, const store::ObjectId& config);
  ~FileCacheWriter();

  // In walk order.
  void add(const std::string& path, const CachedFile& file);
  void commit();

 private:
  void write(base::ByteSpan bytes);
  void write_block();

  std::string path_, temporary_;
  std::FILE* file_ = nullptr;  // null: it could not be written
  base::Encoder block_;
  std::uint64_t block_number_ = 0;
  std::string last_path_;
};

}  // namespace kura::archive
