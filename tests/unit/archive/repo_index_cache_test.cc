// Tables of indexes: searching them, and keeping them in the machine's state whatever happens to the files.
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "archive/repo/pack_reader.h"
#include "archive/repo/read_index_tables.h"
#include "crypto/hash.h"
#include "support/archive/backup_world.h"
#include "support/archive/format_samples.h"
#include "support/archive/repository_builder.h"
#include "support/store/faulty_store.h"

namespace kura::archive::test {
namespace {

namespace fs = std::filesystem;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;

ChunkId id_of_number(std::uint32_t number, bool is_made_up) {
  base::Encoder seed;
  ChunkId id = crypto::sha256(seed.u32(number).bytes());
  if (is_made_up) std::fill_n(id.bytes.begin(), 8, std::uint8_t{0xff});  // not evenly spread at all
  return id;
}

ObjectId pack_id(std::uint32_t number) { return crypto::sha256(base::Encoder().u64(number).bytes()); }

struct Model {
  ChunkIndex index;
  std::map<ChunkId, std::vector<ChunkPlace>> places;
};

// Chunks by their numbers, as `draw` gives them, in indexes of two packs of two frames each; every third pack is
// skipped.
template <typename Draw>
void fill(Model& model, std::uint32_t indexes, std::uint32_t chunks_a_frame, Draw draw) {
  const auto skip = [](std::uint32_t pack) { return pack % 3 == 2; };
  std::uint32_t pack_number = 0, kept = 0;
  for (std::uint32_t i = 0; i < indexes; ++i) {
    Index index;
    std::vector<ObjectId> skipped;
    for (int p = 0; p < 2; ++p, ++pack_number) {
      IndexedPack pack{.id = pack_id(pack_number), .size = 1, .record = {}};
      for (std::uint32_t f = 0; f < 2; ++f) {
        FrameRecord frame{.sealed_size = 100 + f, .compression = Compression::kZstd, .chunks = {}};
        std::uint32_t offset = 0;
        for (std::uint32_t c = 0; c < chunks_a_frame; ++c) {
          const ChunkEntry chunk{.id = draw(), .size = c + 1};
          frame.chunks.push_back(chunk);
          if (!skip(pack_number)) {
            model.places[chunk.id].push_back({.pack = kept, .frame = f, .offset = offset, .size = chunk.size});
          }
          offset += chunk.size;
        }
        pack.record.frames.push_back(frame);
      }
      skip(pack_number) ? skipped.push_back(pack.id) : void(++kept);
      index.packs.push_back(std::move(pack));
    }
    model.index.add(digest_of(static_cast<std::uint8_t>(i)), index,
                    [&](const ObjectId& id) { return std::ranges::find(skipped, id) != skipped.end(); });
  }
}

RC_GTEST_PROP(IndexTables, FindWhatAMapFinds, (bool made_up, bool with_directory)) {
  const auto indexes = *rc::gen::inRange<std::uint32_t>(1, 12);
  const auto chunks = *rc::gen::inRange<std::uint32_t>(1, 300);
  const auto kinds = *rc::gen::inRange<std::uint32_t>(1, 4000);
  Model model;
  std::uint32_t next = 0;
  fill(model, indexes, chunks, [&] { return id_of_number(next++ * 7919 % kinds, made_up); });
  model.index.finish(with_directory ? ChunkIndex::LookUps::kMost : ChunkIndex::LookUps::kSome);
  for (std::uint32_t number = 0; number < kinds + 10; ++number) {
    const ChunkId id = id_of_number(number, made_up);
    const auto known = model.places.find(id);
    if (known == model.places.end()) {
      RC_ASSERT(!model.index.find(id));
      RC_ASSERT(model.index.copies(id).empty());
    } else {
      RC_ASSERT(model.index.copies(id) == known->second);
      RC_ASSERT(model.index.find(id) == known->second.front());
    }
  }
  std::map<ChunkId, std::vector<ChunkPlace>> seen;
  model.index.each_chunk([&](const ChunkId& id, const ChunkPlace& place) { seen[id].push_back(place); });
  RC_ASSERT(seen == model.places);
}

TEST(IndexTables, TellWhereEachFrameLies) {
  const IndexedPack packs[] = {{.id = digest_of(1), .size = 1, .record = sample_record()},
                               {.id = digest_of(2), .size = 1, .record = sample_record()}};
  const auto table = IndexTable::of(packs);
  const PackRecord record = sample_record();
  ASSERT_EQ(table->packs().size(), 2U);
  for (std::uint32_t pack = 0; pack < 2; ++pack) {
    std::uint64_t offset = kPackHeaderSize;
    ASSERT_EQ(table->frames_of(pack), record.frames.size());
    for (std::uint32_t number = 0; number < record.frames.size(); ++number) {
      const FramePlace frame = table->frame(table->packs()[pack].first_frame + number);
      EXPECT_EQ(frame.offset, offset);
      EXPECT_EQ(frame.sealed_size, record.frames[number].sealed_size);
      EXPECT_EQ(frame.text_size, record.frames[number].text_size());
      EXPECT_EQ(frame.compression, record.frames[number].compression);
      offset += frame.sealed_size;
    }
  }
}

// A repository with an index of enough chunks for several pages of each kind.
class KeptTables : public ::testing::Test {
 protected:
  static constexpr int kChunks = 3000;

  void SetUp() override {
    for (int number = 0; number < kChunks; ++number) {
      ids_.push_back(builder_.add(Content::kFile, "chunk " + std::to_string(number)));
      if (number % 4 == 3) builder_.end_frame(Content::kFile);
    }
    snapshot_ = builder_.commit(std::vector<Entry>{});
  }
  std::string folder() const { return builder_.repository().machine_state()->folder() + "/index"; }
  std::string path() const { return folder() + "/" + builder_.indexes()[0].hex(); }
  ChunkIndex load() const {
    std::vector<DamagedObject> damaged;
    ChunkIndex index = load_index(builder_.repository(), snapshot_, damaged).value();
    EXPECT_TRUE(damaged.empty());
    return index;
  }
  // How many chunks are not found where they are.
  std::size_t missed(const ChunkIndex& index) const {
    return static_cast<std::size_t>(std::ranges::count_if(ids_, [&](const ChunkId& id) {
      const auto place = index.find(id);
      return !place || place->size == 0 || index.frame(place->pack, place->frame).text_size == 0;
    }));
  }
  void flip(std::size_t at) const {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 0x10));
  }

  RepositoryBuilder builder_;
  StoredSnapshot snapshot_;
  std::vector<ChunkId> ids_;
};

TEST_F(KeptTables, AreWrittenOnceForTheirOwnerAloneAndReadWithoutTheIndexObject) {
  EXPECT_EQ(missed(load()), 0U);
  ASSERT_TRUE(fs::exists(path()));
  EXPECT_EQ(fs::status(path()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  // Bytes that nobody reads: `kura check` would.
  builder_.damage(Kind::kIndex, builder_.indexes()[0], 100);
  EXPECT_EQ(missed(load()), 0U);
}

TEST_F(KeptTables, AreNotUsedOnceTheirIndexIsGone) {
  load();
  fs::remove(builder_.path_of(Kind::kIndex, builder_.indexes()[0]));
  std::vector<DamagedObject> damaged;
  const auto index = load_index(builder_.repository(), snapshot_, damaged);
  ASSERT_TRUE(index);
  ASSERT_EQ(damaged.size(), 1U);
  EXPECT_EQ(damaged[0].id, builder_.indexes()[0]);
  EXPECT_EQ(index->packs()[0].index, ChunkIndex::kNoIndex);
}

TEST_F(KeptTables, AreMadeAgainWhereverTheyAreDamaged) {
  load();
  const std::size_t size = fs::file_size(path());
  for (std::size_t page = 0; page < size / PageFile::kPage; ++page) {
    flip(page * PageFile::kPage + 4 + page * 13 % 4080);
    const ChunkIndex index = load();
    EXPECT_EQ(missed(index), 0U) << "page " << page;
    load();  // writes it again, if it was removed
    ASSERT_EQ(fs::file_size(path()), size);
  }
}

TEST_F(KeptTables, AreMadeAgainWhereTheyAreCutShortOrOfSomethingElse) {
  load();
  const std::size_t size = fs::file_size(path());
  for (const std::size_t left : {std::size_t{0}, std::size_t{10}, PageFile::kPage, size - PageFile::kPage, size - 1}) {
    fs::resize_file(path(), left);
    EXPECT_EQ(missed(load()), 0U) << left;
    EXPECT_EQ(fs::file_size(path()), size);
  }
  fs::resize_file(path(), size + PageFile::kPage);
  EXPECT_EQ(missed(load()), 0U);
  const TableName other{.config = digest_of(1), .index = builder_.indexes()[0], .size = 1};
  const base::RawBuffer foreign = IndexTable::encode(other, {});
  std::ofstream(path(), std::ios::trunc | std::ios::binary) << base::as_text(foreign.span());
  EXPECT_EQ(missed(load()), 0U);
}

TEST_F(KeptTables, ThatAreCutShortWhileTheyAreReadLoseNothing) {
  load();
  const ChunkIndex index = load();
  fs::resize_file(path(), PageFile::kPage);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { EXPECT_EQ(missed(index), 0U); });
}

TEST_F(KeptTables, OfADamagedFileAndALostIndexGiveNothingWrong) {
  load();
  const ChunkIndex index = load();
  fs::resize_file(path(), PageFile::kPage);
  fs::remove(builder_.path_of(Kind::kIndex, builder_.indexes()[0]));
  EXPECT_EQ(missed(index), ids_.size());
}

TEST_F(KeptTables, AreInMemoryWhereTheStateCannotBeWritten) {
  std::ofstream(folder()) << "in the way";
  EXPECT_EQ(missed(load()), 0U);
  fs::remove(folder());
}

TEST_F(KeptTables, OfIndexesThatAreGoneAreRemovedWithTheNextNewOne) {
  load();
  const std::string old = folder() + "/" + digest_of(9).hex(), stray = folder() + "/1-0123456789abcdef";
  std::ofstream(old) << "x";
  std::ofstream(stray) << "x";
  load();
  EXPECT_TRUE(fs::exists(old));
  fs::remove(path());
  load();
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(stray));  // somebody may be writing it
  fs::last_write_time(stray, fs::file_time_type::clock::now() - std::chrono::hours(25));
  fs::remove(path());
  load();
  EXPECT_FALSE(fs::exists(stray));
  EXPECT_TRUE(fs::exists(path()));
}

TEST_F(KeptTables, OfIndexesThatAreGoneAreRemovedWhenManyHaveGathered) {
  load();
  for (std::uint8_t i = 0; i < 100; ++i) std::ofstream(folder() + "/" + digest_of(i).hex()) << "x";
  load();
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), 1);
  EXPECT_TRUE(fs::exists(path()));
}

TEST(KeptTablesOfABackup, AreThereBeforeAnybodyFetchesItsIndexes) {
  BackupWorld world;
  world.write("a", 1);
  world.backup();
  store::FaultyStore store(world.store());
  store.fail([](store::FaultyStore::Call call, Kind kind, const ObjectId&) {
    return kind == Kind::kIndex &&
           (call == store::FaultyStore::Call::kGet || call == store::FaultyStore::Call::kReadAt);
  });
  std::vector<DamagedObject> damaged;
  const auto index = load_all_indexes(world.open({std::shared_ptr<void>(), &store}), damaged);
  ASSERT_TRUE(index) << index.error().text();
  EXPECT_TRUE(damaged.empty());
  EXPECT_GT(index->chunk_count(), 0U);
}

}  // namespace
}  // namespace kura::archive::test
