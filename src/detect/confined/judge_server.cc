#include "detect/confined/judge_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#include <array>
#include <cstdio>
#include <vector>

#include <openssl/evp.h>

#include "detect/confined/channel.h"
#include "detect/confined/confinement.h"
#include "detect/confined/messages.h"
#include "detect/judge/contents_judge.h"

namespace kura::detect {
namespace {

using base::Result;

constexpr std::size_t kLongestRequest = 1ULL << 31;  // of those who started this process

// What libraries load when they are first used has to be loaded while files can be opened.
void warm_up() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  for (const EVP_MD* method : {EVP_sha256(), EVP_sha3_256()}) {
    unsigned size = 0;
    EVP_Digest("", 0, out.data(), &size, method, nullptr);
  }
}

class Server {
 public:
  Server(const Channel& channel, base::ByteSpan shared) : channel_(channel), shared_(shared) {}

  base::Status run() {
    while (true) {
      const Frame frame = KURA_TRY(channel_.receive(kLongestRequest, {}));
      const base::Bytes answer = KURA_TRY(answer_to(frame));
      KURA_TRY(channel_.send(answer, {}, {}));
    }
  }

 private:
  Result<base::Bytes> answer_to(const Frame& frame) {
    base::Decoder in(frame.bytes);
    const Request request = decode_request(in);
    KURA_TRY(in.finish("a request"));
    std::size_t next = 0;
    std::vector<NamedContents> files;
    for (const AskedFile& file : request.files) {
      files.push_back({KURA_TRY(contents_at(file.contents, frame, next)), file.name});
    }
    base::Encoder out;
    if (!request.change) {
      for (const Version& version : judge_.judge(files)) encode(version, out);
      return out.take();
    }
    const auto& [contents, name] = files.front();
    const Request::Change& change = *request.change;
    const Contents old_contents = KURA_TRY(contents_at(change.old_contents, frame, next));
    encode(judge_.judge_change(change.before, old_contents, change.after, contents, name), out);
    return out.take();
  }

  Result<Contents> contents_at(const Place& place, const Frame& frame, std::size_t& next) const {
    if (place.shared_at) {
      if (*place.shared_at > shared_.size() || place.size > shared_.size() - *place.shared_at) {
        return base::fail(base::ErrorCode::kUsage, "more is shared than there is room");
      }
      const base::ByteSpan bytes =
          shared_.subspan(static_cast<std::size_t>(*place.shared_at), static_cast<std::size_t>(place.size));
      return Contents{.fd = -1, .size = place.size, .bytes = bytes};
    }
    if (next >= frame.files.size()) return base::fail(base::ErrorCode::kUsage, "a file was not sent");
    return Contents{.fd = frame.files[next++].get(), .size = place.size, .bytes = {}};
  }

  const Channel& channel_;
  base::ByteSpan shared_;
  DirectJudge judge_;
};

}  // namespace

int serve_judge() {
  // Ctrl-C is for whoever asks: this process ends with it.
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) ::signal(number, SIG_IGN);
  const void* const memory = ::mmap(nullptr, kSharedBytes, PROT_READ, MAP_SHARED, kJudgeMemory, 0);
  if (memory == MAP_FAILED || ::fcntl(kJudgeSocket, F_GETFL) < 0) {
    std::fputs("kura: this is how kura starts the process in which contents are judged; it is no command\n", stderr);
    return 2;
  }
  const Channel channel{base::UniqueFd(kJudgeSocket)};
  warm_up();
  const base::Status confined = confine();
  const std::string hello = confined ? std::string() : confined.error().text();
  if (!channel.send(base::as_bytes(hello), {}, {}) || !confined) return 1;
  Server server(channel, base::ByteSpan(static_cast<const std::uint8_t*>(memory), kSharedBytes));
  const base::Status ended = server.run();
  return ended.error().code() == base::ErrorCode::kConflict ? 0 : 1;
}

}  // namespace kura::detect
