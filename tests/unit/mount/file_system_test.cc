// The file system without FUSE: a repository with whatever is in it, read by name and by place.
#include "mount/file_system.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/archive/repository_builder.h"

namespace kura::mount::test {
namespace {

using archive::Content;
using archive::Entry;
using archive::test::RepositoryBuilder;
using store::Kind;

std::string lines_of_text(std::size_t lines) {
  std::string text;
  for (std::size_t line = 0; line < lines; ++line) text += "line " + std::to_string(line) + "\n";
  return text;
}

struct World {
  void open() {
    auto opened = FileSystem::open(builder.repository(), troubles);
    ASSERT_TRUE(opened.has_value()) << opened.error().text();
    system = *std::move(opened);
  }
  Answer<NodePtr> at(const std::string& path) const {
    NodePtr node = system->nodes().find(kTopNode);
    for (const auto& name : std::filesystem::path(path)) {
      node = KURA_TRY(system->look_up(node, name.string()));
      if (node->entry.type == archive::EntryType::kSymlink) node = KURA_TRY(at(node->entry.target));
    }
    return node;
  }
  Answer<std::string> read(const std::string& path, std::uint64_t offset = 0, std::size_t size = 1 << 20) const {
    const auto handle = KURA_TRY(system->open_file(KURA_TRY(at(path))));
    return read(*handle, offset, size);
  }
  Answer<std::string> read(FileHandle& handle, std::uint64_t offset, std::size_t size) const {
    std::string text;
    const auto bytes = KURA_TRY(system->read(handle, offset, size));
    for (const base::ByteSpan part : bytes.parts) text += base::as_text(part);
    return text;
  }
  Answer<std::vector<std::string>> names(const std::string& path, std::uint64_t from = 0) const {
    const auto listing = KURA_TRY(system->list(KURA_TRY(at(path))));
    KURA_TRY(listing->go_to(from));
    std::vector<std::string> found;
    while (const NodeFacts* facts = KURA_TRY(listing->next())) {
      found.push_back(facts->entry.name);
      listing->take();
    }
    return found;
  }

  RepositoryBuilder builder;
  std::vector<std::string> told;
  std::mutex mutex;
  Troubles troubles{[this](const std::string& path, const base::Error& error) {
    const std::lock_guard lock(mutex);
    told.push_back(path + ": " + error.message());
  }};
  std::unique_ptr<FileSystem> system;
};

TEST(FileSystem, ReadsFilesAtAnyPlace) {
  World world;
  const std::string text = lines_of_text(3000);
  world.builder.commit({world.builder.file("empty", ""), world.builder.file("file", text)});
  world.open();
  EXPECT_EQ(world.read("latest/file"), text);
  EXPECT_EQ(world.read("latest/empty"), "");
  const auto handle = world.system->open_file(*world.at("latest/file")).value();
  for (std::size_t offset = 0; offset < text.size() + 10; offset += 777) {
    EXPECT_EQ(world.read(*handle, offset, 2500), offset < text.size() ? text.substr(offset, 2500) : "");
  }
  EXPECT_EQ(world.read("latest/none"), std::unexpected(ENOENT));
  EXPECT_EQ(world.read("latest"), std::unexpected(EINVAL));
  EXPECT_TRUE(world.told.empty());
}

TEST(FileSystem, FindsEveryNameOfALargeFolderAndListsItFromAnywhere) {
  World world;
  std::map<std::string, Entry> files;
  for (int number = 0; number < 1000; ++number) {
    const std::string name = std::to_string(number * 7919 % 100'000);
    files.emplace(name, RepositoryBuilder::symlink(name, "to " + name));
  }
  std::vector<Entry> entries;
  std::vector<std::string> wanted;
  for (const auto& [name, entry] : files) {
    entries.push_back(entry);
    wanted.push_back(name);
  }
  world.builder.commit({world.builder.folder("large", entries)});
  world.open();
  EXPECT_EQ(world.names("latest/large"), wanted);
  const NodePtr folder = *world.at("latest/large");
  for (const std::string& name : wanted) {
    const auto node = world.system->look_up(folder, name);
    ASSERT_TRUE(node.has_value()) << name;
    EXPECT_EQ((*node)->entry.target, "to " + name);
    EXPECT_EQ(world.system->look_up(folder, name + "!"), std::unexpected(ENOENT));
  }
  EXPECT_EQ(world.system->look_up(folder, "!"), std::unexpected(ENOENT));
  for (std::size_t from = 0; from < wanted.size() + 40; from += 61) {  // also with the marks that finding has set
    const std::vector<std::string> rest(wanted.begin() + static_cast<std::ptrdiff_t>(std::min(from, wanted.size())),
                                        wanted.end());
    EXPECT_EQ(world.names("latest/large", from), rest);
  }
}

TEST(FileSystem, ServesManyThreadsAtOnce) {
  World world;
  const std::string text = lines_of_text(20'000);
  world.builder.commit({world.builder.file("file", text, 5000), world.builder.file("small", "small")});
  world.open();
  std::vector<std::jthread> readers;
  for (std::size_t reader = 0; reader < 8; ++reader) {
    readers.emplace_back([&world, &text, reader] {
      const auto handle = world.system->open_file(*world.at("latest/file")).value();
      for (std::size_t offset = reader * 1000; offset < text.size(); offset += 3000) {  // in order: reads ahead too
        EXPECT_EQ(world.read(*handle, offset, 3000), text.substr(offset, 3000));
      }
      EXPECT_EQ(world.read("latest/small"), "small");
      EXPECT_EQ(world.names("latest")->size(), 2U);
    });
  }
}

TEST(FileSystem, TellsDamageOnceAndReadsWhatIsWhole) {
  World world;
  world.builder.compress(false);
  const std::string first = lines_of_text(100);
  Entry damaged = world.builder.file("damaged", first);
  world.builder.end_frame(Content::kFile);
  const Entry whole = world.builder.file("whole", "whole");
  world.builder.commit({damaged, whole});
  world.builder.damage(Kind::kPack, world.builder.packs()[0], archive::kPackHeaderSize + 10);
  world.open();
  for (int again = 0; again < 10; ++again) EXPECT_EQ(world.read("latest/damaged"), std::unexpected(EIO));
  EXPECT_EQ(world.read("latest/whole"), "whole");
  ASSERT_EQ(world.told.size(), 1U);
  EXPECT_TRUE(world.told[0].contains("/damaged: pack ")) << world.told[0];
  EXPECT_TRUE(world.troubles.met_damage());
}

TEST(FileSystem, AnswersErrorsWhileTheStoreIsAwayAndReadsWhenItIsBack) {
  World world;
  const std::string text = lines_of_text(300);
  world.builder.commit({world.builder.file("file", text), world.builder.folder("folder", {})});
  world.open();
  const NodePtr file = *world.at("latest/file");
  const std::string away = world.builder.folder() + ".away";
  std::filesystem::rename(world.builder.folder(), away);
  for (int again = 0; again < 5; ++again) {
    auto handle = world.system->open_file(file);
    EXPECT_EQ(world.read(**handle, 0, 1000), std::unexpected(EIO));
  }
  EXPECT_EQ(world.told.size(), 1U) << world.told.back();
  EXPECT_FALSE(world.troubles.met_damage());
  std::filesystem::rename(away, world.builder.folder());
  EXPECT_EQ(world.read("latest/file"), text);
}

TEST(FileSystem, ListsWhatWasListedBeforeWhileTheStoreIsAway) {
  World world;
  const std::string text = lines_of_text(300);
  world.builder.commit({world.builder.folder("folder", {RepositoryBuilder::symlink("link", "target")}),
                        world.builder.file("unread", text)});
  world.open();
  const auto names = world.names("latest/folder");
  const NodePtr folder = *world.at("latest/folder");
  std::filesystem::remove_all(world.builder.folder());
  EXPECT_EQ(world.read("latest/unread"), std::unexpected(EIO));
  world.system->nodes().forget(folder->id, 1000);  // as the kernel does when it wants its memory back
  EXPECT_NE((*world.at("latest/folder"))->id, folder->id);
  EXPECT_EQ(world.names("latest/folder"), names);
}

TEST(FileSystem, ShowsTheSameFileByEachOfItsNames) {
  World world;
  Entry first = world.builder.file("first", "linked");
  first.hard_link = {5, 6};
  Entry second = first;
  second.name = "second";
  world.builder.commit({first, second, world.builder.file("third", "linked")});
  world.open();
  EXPECT_EQ(world.at("latest/first"), world.at("latest/second"));
  EXPECT_NE(world.at("latest/first"), world.at("latest/third"));
}

TEST(FileSystem, RefusesFilesWhoseSizeTheIndexContradicts) {
  World world;
  std::vector<Entry> files;
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{5}, ~std::uint64_t{0}}) {
    files.push_back(world.builder.file("file-" + std::to_string(size), "four"));
    files.back().size = size;
  }
  std::ranges::sort(files, {}, &Entry::name);
  world.builder.commit(files);
  world.open();
  for (const Entry& file : files) EXPECT_EQ(world.read("latest/" + file.name), std::unexpected(EIO)) << file.name;
  EXPECT_EQ(world.names("latest")->size(), files.size());
}

}  // namespace
}  // namespace kura::mount::test
