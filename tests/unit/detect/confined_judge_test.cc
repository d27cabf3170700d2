// The asking side, against processes that do not do what they should. The real one is held to its promises by
// tests/system/test_judge_process.py.
#include "detect/confined/confined_judge.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace kura::detect {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kContents = "some contents of a file that is judged\n";

class ConfinedJudgeTest : public ::testing::Test {
 protected:
  // A program that greets as it should, and answers each request by `answer`: Python, with `s` the socket, `size` of
  // the request.
  std::string program(const std::string& answer, const std::string& hello = "s.sendall(struct.pack('<I', 0))") {
    const std::string path = folder_.path() + "/judge";
    std::ofstream(path) << "#!/usr/bin/python3\n"
                           "import os, signal, socket, struct, sys, time\n"
                           "os.chdir('"
                        << folder_.path()
                        << "')\n"
                           "s = socket.socket(fileno=3)\n"
                           "s.setblocking(True)\n"
                        << hello
                        << "\n"
                           "def frame(b): s.sendall(struct.pack('<I', len(b)) + b)\n"
                           "while True:\n"
                           "    head = s.recv(4, socket.MSG_WAITALL)\n"
                           "    if not head: break\n"
                           "    r = s.recv(struct.unpack('<I', head)[0], socket.MSG_WAITALL)\n"
                           "    "
                        << answer << "\n";
    ::chmod(path.c_str(), 0700);
    return path;
  }
  Version judged_by(const std::string& path, JudgeTime time = {}) {
    ConfinedJudge judge([this](std::string_view name, const base::Error& error) { note(name, error); }, {}, time, path);
    return judge.judge({.fd = -1, .size = kContents.size(), .bytes = base::as_bytes(kContents)}, "a.txt");
  }
  void note(std::string_view name, const base::Error& error) {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::string(name) + ": " + error.text());
  }
  void expect_unjudged(const Version& version, std::string_view why) {
    EXPECT_EQ(version.judgement.verdict, Verdict::kUnknown);
    EXPECT_EQ(version.size, kContents.size());
    ASSERT_EQ(version.judgement.reasons.size(), 1U);
    EXPECT_NE(version.judgement.reasons.front().find(why), std::string::npos) << version.judgement.reasons.front();
    ASSERT_EQ(told_.size(), 1U);
    EXPECT_TRUE(told_.front().starts_with("a.txt: ")) << told_.front();
  }

  test::TemporaryFolder folder_;
  std::mutex mutex_;
  std::vector<std::string> told_;
};

TEST_F(ConfinedJudgeTest, ASoundAnswerIsTaken) {
  // verdict valid, kind "text", no reasons; size 39, nothing said; an empty texture
  const Version version = judged_by(program("frame(bytes([1, 4]) + b'text' + bytes([0, 39, 0, 0, 0, 0, 1, 0, 0, 0]))"));
  EXPECT_EQ(version.judgement.verdict, Verdict::kValid);
  EXPECT_EQ(version.judgement.kind, "text");
  EXPECT_TRUE(told_.empty());
}

TEST_F(ConfinedJudgeTest, AProcessThatEndsLeavesItsFileUnknownAndSaysHow) {
  expect_unjudged(judged_by(program("os.kill(os.getpid(), signal.SIGSEGV)")), "signal 11");
}

TEST_F(ConfinedJudgeTest, AProcessThatEndedOnceIsStartedAgain) {
  const Version version =
      judged_by(program("(open('once', 'x'), sys.exit(3)) if not os.path.exists('once') else "
                        "frame(bytes([1, 4]) + b'text' + bytes([0, 39, 0, 0, 0, 0, 1, 0, 0, 0]))"));
  EXPECT_EQ(version.judgement.verdict, Verdict::kValid);
  EXPECT_TRUE(told_.empty());
}

// Whatever ends the process over many files, only the one that does is left unknown.
TEST_F(ConfinedJudgeTest, OneFileThatEndsTheProcessTakesNoOtherWithIt) {
  ConfinedJudge judge([this](std::string_view name, const base::Error& error) { note(name, error); }, {}, {},
                      program("m = sys.exit(1) if b'bad' in r else "
                              "frame((bytes([1, 4]) + b'text' + bytes([0, 39, 0, 0, 0, 0, 1, 0, 0, 0])) * r[1])"));
  std::vector<std::string> names;
  for (int i = 0; i < 150; ++i) names.push_back(i == 70 ? "bad" : "good" + std::to_string(i));
  std::vector<NamedContents> files;
  const Contents contents{.fd = -1, .size = kContents.size(), .bytes = base::as_bytes(kContents)};
  for (const std::string& name : names) files.push_back({contents, name});
  const std::vector<Version> versions = judge.judge(files);
  ASSERT_EQ(versions.size(), files.size());
  for (std::size_t i = 0; i < versions.size(); ++i) {
    EXPECT_EQ(versions[i].judgement.verdict, i == 70 ? Verdict::kUnknown : Verdict::kValid) << i;
  }
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_TRUE(told_.front().starts_with("bad: ")) << told_.front();
}

TEST_F(ConfinedJudgeTest, AProcessThatNeverAnswersIsEnded) {
  expect_unjudged(judged_by(program("time.sleep(1000)"), {.least = 1s, .bytes_a_second = 1000}), "no answer in time");
}

TEST_F(ConfinedJudgeTest, AnAnswerThatNeverEndsIsCutOff) {
  expect_unjudged(judged_by(program("s.sendall(struct.pack('<I', 0xffffffff) + bytes(1 << 20))")), "longer than any");
}

TEST_F(ConfinedJudgeTest, AnswersThatAreNoneAreRefused) {
  for (const std::string answer :
       {"frame(b'')", "frame(bytes([9, 0, 0, 39, 0, 0, 0, 0, 1, 0, 0, 0]))",  // no such verdict
        "frame(bytes([1, 0, 0, 99, 0, 0, 0, 0, 1, 0, 0, 0]))",                // larger than the file
        "frame(bytes([1, 0, 0, 39, 0, 0, 0, 0, 1, 99, 0, 0]))",               // more blocks than it has
        "frame(bytes([1, 0, 0, 39, 0, 0, 0, 0, 1, 0, 0, 1]) + bytes(7))",     // cut off
        "frame(bytes([1, 0, 0, 39, 0, 0, 0, 0, 1, 0, 0, 0, 7]))"}) {          // with more behind it
    told_.clear();
    expect_unjudged(judged_by(program(answer)), "a judge's answer");
  }
}

TEST_F(ConfinedJudgeTest, ASystemThatCannotConfineJudgesNothing) {
  expect_unjudged(judged_by(program("pass", "b = b'no seccomp here'; s.sendall(struct.pack('<I', len(b)) + b)")),
                  "no seccomp here");
}

TEST_F(ConfinedJudgeTest, AProgramThatIsNotThereIsNamed) {
  expect_unjudged(judged_by(folder_.path() + "/none"), "/none");
}

TEST_F(ConfinedJudgeTest, AStopEndsTheWaitingAndIsNoFailure) {
  std::stop_source stop;
  ConfinedJudge judge([this](std::string_view name, const base::Error& error) { note(name, error); }, stop.get_token(),
                      {}, program("open('asked', 'w'); time.sleep(1000)"));
  std::jthread stopper([&] {
    while (!std::filesystem::exists(folder_.path() + "/asked")) std::this_thread::sleep_for(1ms);
    stop.request_stop();
  });
  const Version version =
      judge.judge({.fd = -1, .size = kContents.size(), .bytes = base::as_bytes(kContents)}, "a.txt");
  EXPECT_EQ(version.judgement.verdict, Verdict::kUnknown);
  EXPECT_TRUE(told_.empty());
}

TEST_F(ConfinedJudgeTest, AChangeThatCannotBeJudgedByContentsIsJudgedByWhatIsRemembered) {
  ConfinedJudge judge([this](std::string_view name, const base::Error& error) { note(name, error); }, {}, {},
                      program("sys.exit(1)"));
  Version before;
  before.judgement = {.verdict = Verdict::kValid, .kind = "png", .reasons = {}};
  before.size = 5000;
  Version after;
  after.judgement = {.verdict = Verdict::kBroken, .kind = {}, .reasons = {"random"}};
  after.size = 5000;
  const int none = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const Judgement judgement = judge.judge_change(before, {.fd = none, .size = 5000, .bytes = {}}, after,
                                                 {.fd = none, .size = 5000, .bytes = {}}, "a.png");
  ::close(none);
  EXPECT_EQ(judgement.verdict, Verdict::kBroken);
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(ConfinedJudgeTest, ManyThreadsAskAtOnce) {
  ConfinedJudge judge([this](std::string_view name, const base::Error& error) { note(name, error); }, {}, {},
                      program("frame(bytes([1, 4]) + b'text' + bytes([0, 39, 0, 0, 0, 0, 1, 0, 0, 0]))"));
  std::atomic<int> valid{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 25; ++k) {
          const Version version =
              judge.judge({.fd = -1, .size = kContents.size(), .bytes = base::as_bytes(kContents)}, "a.txt");
          if (version.judgement.verdict == Verdict::kValid) ++valid;
        }
      });
    }
  }
  EXPECT_EQ(valid, 100);
}

// ---- Messages ----

Version sample() {
  Version version;
  version.judgement = {.verdict = Verdict::kBroken, .kind = "pdf", .reasons = {"one", "two"}};
  version.size = 1U << 20;
  version.is_note = version.begins_randomly = version.ends_early = true;
  version.coded_size = 99;
  version.texture.complete = true;
  version.texture.blocks = 256;
  version.texture.uniform = 3;
  version.texture.random.add(100, 90);
  return version;
}

void expect_same(const Version& a, const Version& b) {
  EXPECT_EQ(a.judgement.verdict, b.judgement.verdict);
  EXPECT_EQ(a.judgement.kind, b.judgement.kind);
  EXPECT_EQ(a.judgement.reasons, b.judgement.reasons);
  EXPECT_EQ(a.size, b.size);
  EXPECT_EQ(a.is_note, b.is_note);
  EXPECT_EQ(a.coded_size, b.coded_size);
  EXPECT_EQ(a.begins_randomly, b.begins_randomly);
  EXPECT_EQ(a.ends_early, b.ends_early);
  EXPECT_EQ(a.texture, b.texture);
}

TEST(JudgeMessages, AVersionComesOutAsItWentIn) {
  base::Encoder out;
  encode(sample(), out);
  base::Decoder in(out.bytes());
  expect_same(decode_version(in, 1U << 20), sample());
  EXPECT_TRUE(in.finish("a version"));
}

TEST(JudgeMessages, ARequestComesOutAsItWentIn) {
  const Request request{.files = {{"a/b.pdf", {.size = 77, .shared_at = 0}}},
                        .change = Request::Change{{.size = 76, .shared_at = {}}, sample(), sample()}};
  base::Encoder out;
  encode(request, out);
  base::Decoder in(out.bytes());
  const Request read = decode_request(in);
  ASSERT_TRUE(in.finish("a request"));
  ASSERT_EQ(read.files.size(), 1U);
  EXPECT_EQ(read.files[0].name, "a/b.pdf");
  EXPECT_EQ(read.files[0].contents.size, 77U);
  EXPECT_EQ(read.files[0].contents.shared_at, 0U);
  ASSERT_TRUE(read.change);
  EXPECT_EQ(read.change->old_contents.size, 76U);
  EXPECT_FALSE(read.change->old_contents.shared_at);
  expect_same(read.change->after, sample());
}

TEST(JudgeMessages, NoCutOffAnswerIsTakenForOne) {
  base::Encoder out;
  encode(sample(), out);
  for (std::size_t size = 0; size < out.size(); ++size) {
    base::Decoder in(base::ByteSpan(out.bytes()).first(size));
    decode_version(in, 1U << 20);
    EXPECT_FALSE(in.finish("a version")) << size;
  }
}

TEST(JudgeMessages, TheLongestAnswerHasRoomForEveryVersion) {
  Version version = sample();
  version.judgement.reasons.assign(100, std::string(5000, 'x'));
  version.judgement.kind = std::string(64, 'k');
  for (const std::uint64_t size : {0ULL, 1ULL, 4096ULL, 1ULL << 20, (1ULL << 26) + 1}) {
    version.size = size;
    version.texture = {};
    version.texture.blocks = (size + kBlock - 1) / kBlock;
    version.texture.random.add(0, version.texture.blocks);
    base::Encoder out;
    encode(version, out);
    EXPECT_LE(out.size(), longest_answer(size, 1));
    base::Decoder in(out.bytes());
    decode_version(in, size);
    EXPECT_TRUE(in.finish("a version")) << size;
  }
}

}  // namespace
}  // namespace kura::detect
