// A repository in a folder of the test's own.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "archive/repo/repository.h"
#include "support/archive/cheap_passphrase.h"
#include "support/temporary_folder.h"

namespace kura::archive::test {

class RepositoryFixture : public ::testing::Test {
 protected:
  std::shared_ptr<store::Store> store(const std::string& name = "repo") const {
    auto opened = store::create_store(folder_ / name);
    if (!opened) throw std::runtime_error(opened.error().text());  // fails the test
    return *std::move(opened);
  }
  std::string state(const std::string& name = "state") const { return folder_ / name; }
  base::Result<Repository> create(std::optional<std::string> passphrase = "right") const {
    return Repository::create(
        store(),
        {.state_folder = state(), .machine_label = "host", .passphrase = passphrase, .cost = kCheapPassphrase});
  }
  base::Result<Repository> open(const std::string& state_folder) const {
    return Repository::open(store(), state_folder);
  }
  std::string object_path(store::Kind kind, const store::ObjectId& id) const {
    return folder_ / ("repo/" + std::string(store::folder_of(kind)) + "/" + id.hex());
  }
  std::string machine_key_path(const Repository& repository) const {
    return state() + "/" + repository.config_id().hex() + "/machine.key";
  }

  static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Behind everybody's back.
  static void write(const std::string& path, std::string_view text) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }
  static void flip_byte(const std::string& path, std::size_t at) {
    std::string text = read(path);
    text.at(at) = static_cast<char>(text[at] ^ 1);
    write(path, text);
  }

  kura::test::TemporaryFolder folder_;
};

}  // namespace kura::archive::test
