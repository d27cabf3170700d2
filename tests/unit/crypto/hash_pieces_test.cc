#include "crypto/hash_pieces.h"

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/random.h"

namespace kura::crypto {
namespace {

void expect_the_digests_of_each_piece(ByteSpan text, std::size_t piece) {
  std::vector<Digest> digests;
  sha256_of_pieces(text, piece, digests);
  ASSERT_EQ(digests.size(), (text.size() + piece - 1) / piece);
  for (const Digest& digest : digests) {
    EXPECT_EQ(digest, sha256(text.first(std::min(piece, text.size()))));
    text = text.subspan(std::min(piece, text.size()));
  }
}

RC_GTEST_PROP(HashPiecesTest, GivesWhatEachPieceHashesToAlone, ()) {
  const auto piece = *rc::gen::inRange<std::size_t>(1, kMostPiece + 1);
  const auto pieces = *rc::gen::inRange<std::size_t>(0, 40);
  const auto rest = *rc::gen::inRange<std::size_t>(0, piece);
  expect_the_digests_of_each_piece(random_bytes(pieces * piece + rest), piece);
}

TEST(HashPiecesTest, DoesSoForEveryNumberOfPiecesAndEveryEnd) {
  const Bytes text = random_bytes(std::size_t{40} * 64);
  for (std::size_t size = 0; size <= text.size(); ++size)
    expect_the_digests_of_each_piece(ByteSpan(text).first(size), 64);
}

TEST(HashPiecesTest, DoesSoFromManyThreads) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int turn = 0; turn < 20; ++turn) expect_the_digests_of_each_piece(random_bytes(300'000), 4096);
    });
  }
}

TEST(HashPiecesTest, DoesSoWithoutCodeForParticularProcessors) {
  ASSERT_EQ(::setenv("KURA_SIMD", "off", 1), 0);
  std::jthread([] { expect_the_digests_of_each_piece(random_bytes(100'000), 4096); }).join();  // it asks anew
  ::unsetenv("KURA_SIMD");
}

}  // namespace
}  // namespace kura::crypto
