// Where in the chunks a read's bytes lie, against a file that is simply written out.
#include "mount/file_table.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kura::mount::test {
namespace {

using archive::FileContents;

// A file of chunks and pieces, and the bytes that it is to have: zeros in holes, else numbers that do not repeat soon.
struct Model {
  FileContents contents;
  std::string stream;  // the chunks, one after another
  std::string file;
  std::vector<std::size_t> starts;  // of chunks in the stream

  std::string read(std::uint64_t offset, std::size_t size) const {
    std::string got;
    for (const FileTable::Part& part : FileTable(contents).parts(offset, size)) {
      if (!part.chunk) {
        got.append(part.size, '\0');
        continue;
      }
      EXPECT_LE(part.offset + part.size, contents.sizes[*part.chunk]);
      got += stream.substr(starts[*part.chunk] + part.offset, part.size);
    }
    return got;
  }
};

Model make_model(const std::vector<std::uint8_t>& chunks,
                 const std::vector<std::pair<std::uint8_t, std::uint8_t>>& gaps, bool is_sparse) {
  Model model;
  for (const std::uint8_t chunk : chunks) {
    const std::size_t size = chunk % 20U + 1;
    model.starts.push_back(model.stream.size());
    for (std::size_t i = 0; i < size; ++i) model.stream += static_cast<char>(model.stream.size() % 251 + 1);
    model.contents.sizes.push_back(static_cast<std::uint32_t>(size));
    model.contents.ids.emplace_back();
  }
  model.contents.is_sparse = is_sparse;
  if (!is_sparse) {
    model.file = model.stream;
    model.contents.size = model.file.size();
    return model;
  }
  std::size_t used = 0;
  for (const auto& [gap, wanted] : gaps) {
    const std::size_t size = std::min<std::size_t>(wanted % 30U + 1, model.stream.size() - used);
    if (size == 0) break;
    model.file.append(gap % 40U, '\0');
    model.contents.pieces.push_back({.data_offset = used, .file_offset = model.file.size(), .size = size});
    model.file += model.stream.substr(used, size);
    used += size;
  }
  if (used < model.stream.size()) {
    model.contents.pieces.push_back(
        {.data_offset = used, .file_offset = model.file.size(), .size = model.stream.size() - used});
    model.file += model.stream.substr(used);
  }
  model.file.append(chunks.size() % 7, '\0');
  model.contents.size = model.file.size();
  return model;
}

using Chunks = std::vector<std::uint8_t>;
using Gaps = std::vector<std::pair<std::uint8_t, std::uint8_t>>;

RC_GTEST_PROP(FileTable, GivesWhatTheFileHasAtAnyPlace, (Chunks chunks, Gaps gaps, bool is_sparse)) {
  const Model model = make_model(chunks, gaps, is_sparse);
  for (std::size_t offset = 0; offset < model.file.size() + 3; offset += 1 + offset % 5) {
    for (const std::size_t size : {1UL, 7UL, 64UL, 1000UL}) {
      const std::string wanted = offset < model.file.size() ? model.file.substr(offset, size) : "";
      RC_ASSERT(model.read(offset, size) == wanted);
    }
  }
}

RC_GTEST_PROP(FileTable, FindsDataAndHolesWhereTheyAre, (Chunks chunks, Gaps gaps, bool is_sparse)) {
  const Model model = make_model(chunks, gaps, is_sparse);
  const FileTable table(model.contents);
  for (std::size_t offset = 0; offset < model.file.size(); ++offset) {
    const std::size_t data = model.file.find_first_not_of('\0', offset);
    RC_ASSERT(table.next_data(offset) ==
              (data == std::string::npos ? std::nullopt : std::optional<std::uint64_t>(data)));
    const std::size_t hole = model.file.find('\0', offset);
    RC_ASSERT(table.next_hole(offset) == std::optional<std::uint64_t>(std::min(hole, model.file.size())));
  }
  RC_ASSERT(!table.next_data(model.file.size()));
  RC_ASSERT(!table.next_hole(model.file.size() + 1));
}

}  // namespace
}  // namespace kura::mount::test
