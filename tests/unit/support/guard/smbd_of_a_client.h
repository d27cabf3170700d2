#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/unique_fd.h"
#include "support/temporary_folder.h"

namespace kura::test {

// Processes that are called smbd and have a connection to a client, as the kernel sees them.
class SmbdOfAClient {
 public:
  SmbdOfAClient() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const base::UniqueFd listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listening.get(), 1), 0);
    EXPECT_EQ(::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    client_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    server_.reset(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::filesystem::copy_file("/usr/bin/sleep", folder_.path() + "/smbd");
  }
  ~SmbdOfAClient() {
    for (const pid_t pid : pids_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

  // One more of it.
  pid_t start() {
    std::string program = folder_.path() + "/smbd";
    std::string seconds = "1000";
    std::array<char*, 3> words{program.data(), seconds.data(), nullptr};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, server_.get(), 3);
    EXPECT_EQ(::posix_spawn(&pids_.emplace_back(), program.c_str(), &files, nullptr, words.data(), environ), 0);
    posix_spawn_file_actions_destroy(&files);
    return pids_.back();
  }
  std::uint16_t port() const { return port_; }

 private:
  TemporaryFolder folder_;
  base::UniqueFd client_, server_;
  std::uint16_t port_ = 0;
  std::vector<pid_t> pids_;
};

}  // namespace kura::test
