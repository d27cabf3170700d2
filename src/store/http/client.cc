#include "store/http/client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "base/version.h"
#include "store/http/handles.h"

namespace kura::store::http {
namespace {

constexpr std::size_t kMostHeaderBytes = 64 << 10;
constexpr std::size_t kMostErrorBytes = 64 << 10;
constexpr std::size_t kPacedPiece = 16 << 10;  // bytes that go out at once where somebody sets the pace
constexpr long kSlowest = 100;                 // bytes a second

class HeaderList {
 public:
  explicit HeaderList(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      curl_slist* longer = curl().slist_append(list_, line.c_str());
      if (longer == nullptr) std::abort();
      list_ = longer;
    }
  }
  ~HeaderList() { curl().slist_free_all(list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// What a request sends and receives, as libcurl calls for it.
class Exchange {
 public:
  Exchange(const Request& request, const std::stop_token& stop) : request_(request), stop_(stop) {
    to_send_ = base::total_size(request.body);
  }

  void attach(CURL* handle);
  std::expected<Response, Failure> result(CURLcode code) &&;

 private:
  static std::size_t on_read(char* out, std::size_t size, std::size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static std::size_t on_header(char* line, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  std::size_t read(base::MutableByteSpan out);
  bool take_header(std::string_view line);
  bool take_body(base::ByteSpan bytes);
  Failure failure(CURLcode code) const;

  const Request& request_;
  const std::stop_token& stop_;
  std::uint64_t to_send_ = 0, sent_ = 0;  // bytes
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
  std::uint64_t received_ = 0;  // bytes of the body
  Response response_;
  std::array<char, CURL_ERROR_SIZE> why_{};
};

void Exchange::attach(CURL* handle) {
  curl().easy_setopt(handle, CURLOPT_ERRORBUFFER, why_.data());
  curl().easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  curl().easy_setopt(handle, CURLOPT_HEADERDATA, this);
  curl().easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  curl().easy_setopt(handle, CURLOPT_WRITEDATA, this);
  curl().easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &Exchange::on_progress);
  curl().easy_setopt(handle, CURLOPT_XFERINFODATA, this);
  curl().easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  switch (request_.method) {
    case Method::kGet:
      break;
    case Method::kHead:
      curl().easy_setopt(handle, CURLOPT_NOBODY, 1L);
      break;
    case Method::kDelete:
      curl().easy_setopt(handle, CURLOPT_CUSTOMREQUEST, "DELETE");
      break;
    case Method::kPost:
      curl().easy_setopt(handle, CURLOPT_CUSTOMREQUEST, "POST");
      [[fallthrough]];
    case Method::kPut:
      curl().easy_setopt(handle, CURLOPT_UPLOAD, 1L);
      curl().easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(to_send_));
      curl().easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
      curl().easy_setopt(handle, CURLOPT_READFUNCTION, &Exchange::on_read);
      curl().easy_setopt(handle, CURLOPT_READDATA, this);
      curl().easy_setopt(handle, CURLOPT_SEEKFUNCTION, &Exchange::on_seek);
      curl().easy_setopt(handle, CURLOPT_SEEKDATA, this);
      break;
  }
}

std::size_t Exchange::on_read(char* out, std::size_t size, std::size_t count, void* self) {
  return static_cast<Exchange*>(self)->read({reinterpret_cast<std::uint8_t*>(out), size * count});
}

// libcurl begins anew when the server has closed a connection that was kept open.
int Exchange::on_seek(void* self, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(self);
  if (origin != SEEK_SET || offset < 0 || static_cast<std::uint64_t>(offset) > exchange.to_send_) {
    return CURL_SEEKFUNC_FAIL;
  }
  exchange.sent_ = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

std::size_t Exchange::on_header(char* line, std::size_t size, std::size_t count, void* self) {
  return static_cast<Exchange*>(self)->take_header({line, size * count}) ? size * count : 0;
}

std::size_t Exchange::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  const base::ByteSpan span(reinterpret_cast<const std::uint8_t*>(bytes), size * count);
  return static_cast<Exchange*>(self)->take_body(span) ? size * count : 0;
}

int Exchange::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(self)->stop_.stop_requested() ? 1 : 0;
}

std::size_t Exchange::read(base::MutableByteSpan out) {
  std::uint64_t skip = sent_;
  for (const base::ByteSpan part : request_.body) {
    if (skip >= part.size()) {
      skip -= part.size();
      continue;
    }
    const base::ByteSpan rest = part.subspan(static_cast<std::size_t>(skip));
    const std::size_t most = request_.outgoing == nullptr ? out.size() : std::min(out.size(), kPacedPiece);
    const std::size_t count = std::min(rest.size(), most);
    if (request_.outgoing != nullptr && !(*request_.outgoing)(rest.first(count))) return CURL_READFUNC_ABORT;
    std::memcpy(out.data(), rest.data(), count);
    sent_ += count;
    return count;
  }
  return 0;
}

bool Exchange::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMostHeaderBytes) {
    too_large_ = true;
    return false;
  }
  if (line.starts_with("HTTP/")) {  // the one before was "100 Continue"
    response_ = {};
    received_ = 0;
    const std::size_t blank = line.find(' ');
    const std::string_view code = blank == std::string_view::npos ? "" : line.substr(blank + 1, 3);
    std::from_chars(code.data(), code.data() + code.size(), response_.status);  // 0 where it is no number
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  response_.headers.emplace_back(lower_case(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  return true;
}

bool Exchange::take_body(base::ByteSpan bytes) {
  const std::uint64_t limit = response_.ok() ? request_.limit : kMostErrorBytes;
  if (bytes.size() > limit - received_) {
    too_large_ = true;
    return false;
  }
  received_ += bytes.size();
  if (request_.sink != nullptr && response_.ok()) return (*request_.sink)(bytes);
  response_.body.insert(response_.body.end(), bytes.begin(), bytes.end());
  return true;
}

Failure Exchange::failure(CURLcode code) const {
  using Kind = Failure::Kind;
  std::string message = why_[0] != '\0' ? std::string(why_.data()) : std::string(curl().easy_strerror(code));
  if (stop_.stop_requested() && code == CURLE_ABORTED_BY_CALLBACK) return {Kind::kStopped, "interrupted"};
  if (too_large_) return {Kind::kTooLarge, "the server sends more than it was asked for"};
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return {Kind::kNoConnection, std::move(message)};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
      return {Kind::kUntrusted, std::move(message)};
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer that is HTTP/0.9, or none at all
    case CURLE_HTTP2:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_AGAIN:
      return {Kind::kBroken, std::move(message)};
    default:
      return {Kind::kOther, std::move(message)};
  }
}

std::expected<Response, Failure> Exchange::result(CURLcode code) && {
  // An endless explanation of an error is an error with the explanation cut off.
  const bool refused = too_large_ && header_bytes_ <= kMostHeaderBytes && !response_.ok() && response_.status >= 300;
  if (code != CURLE_OK && !refused) return std::unexpected(failure(code));
  return std::move(response_);
}

// A machine that does not have it, or does not let this user, goes on with what it has.
int on_socket(void* options, curl_socket_t socket, curlsocktype /*purpose*/) {
  const std::string& wanted = static_cast<const Options*>(options)->congestion_control;
  ::setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, wanted.data(), static_cast<socklen_t>(wanted.size()));
  return CURL_SOCKOPT_OK;
}

void set_socket(CURL* handle, const Options& options) {
  if (!options.local_socket.empty()) {
    curl().easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, options.local_socket.c_str());
  }
  if (options.congestion_control.empty()) return;
  curl().easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, &on_socket);
  curl().easy_setopt(handle, CURLOPT_SOCKOPTDATA, &options);
}

void set_limits(CURL* handle, const Options& options, const Request& request) {
  curl().easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect.count()));
  curl().easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, kSlowest);
  curl().easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall.count()));
  curl().easy_setopt(handle, CURLOPT_TIMEOUT, static_cast<long>(request.at_most.count()));
  curl().easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
}

// The system's certificates, unless these variables name others: the command-line tools of curl and of OpenSSL read
// them, the library does not.
void set_trust(CURL* handle) {
  for (const char* variable : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* file = std::getenv(variable);
    if (file == nullptr || *file == '\0') continue;
    curl().easy_setopt(handle, CURLOPT_CAINFO, file);
    curl().easy_setopt(handle, CURLOPT_CAPATH, nullptr);
    break;
  }
  curl().easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
}

void set_identity(CURL* handle, const Identity& identity) {
  if (!identity.authority.empty()) {
    curl().easy_setopt(handle, CURLOPT_CAINFO, identity.authority.c_str());
    curl().easy_setopt(handle, CURLOPT_CAPATH, nullptr);
    curl().easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
  }
  if (identity.trusts_anybody) {
    curl().easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    curl().easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (identity.certificate.empty()) return;
  curl().easy_setopt(handle, CURLOPT_SSLCERT, identity.certificate.c_str());
  curl().easy_setopt(handle, CURLOPT_SSLKEY, identity.certificate.c_str());
}

void set_signing(CURL* handle, const Options& options) {
  if (options.access_key.empty()) return;
  curl().easy_setopt(handle, CURLOPT_AWS_SIGV4, fmt::format("aws:amz:{}:s3", options.region).c_str());
  curl().easy_setopt(handle, CURLOPT_USERNAME, options.access_key.c_str());
  curl().easy_setopt(handle, CURLOPT_PASSWORD, options.secret_key.c_str());
}

void set_request(CURL* handle, const Request& request) {
  curl().easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl().easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl().easy_setopt(handle, CURLOPT_PROTOCOLS_STR, request.url.starts_with("https:") ? "https" : "http");
  curl().easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl().easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl().easy_setopt(handle, CURLOPT_BUFFERSIZE, 256L << 10);
  curl().easy_setopt(handle, CURLOPT_USERAGENT, fmt::format("kura/{}", base::version()).c_str());
  if (!request.range.empty()) curl().easy_setopt(handle, CURLOPT_RANGE, request.range.c_str());
}

}  // namespace

std::string_view Response::header(std::string_view lower_case_name) const {
  const auto found = std::ranges::find(headers, lower_case_name, [](const auto& header) { return header.first; });
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

class Client::Handles : public HandlePool {};

Client::Client(Options options) : options_(std::move(options)), handles_(std::make_unique<Handles>()) {}
Client::~Client() = default;

std::expected<Response, Failure> Client::send(const Request& request, const std::stop_token& stop) {
  Easy handle = handles_->take();
  const HeaderList headers(request.headers);
  Exchange exchange(request, stop);
  set_request(handle.get(), request);
  set_limits(handle.get(), options_, request);
  set_trust(handle.get());
  set_identity(handle.get(), options_.identity);
  set_socket(handle.get(), options_);
  set_signing(handle.get(), options_);
  curl().easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  exchange.attach(handle.get());
  const CURLcode code = curl().easy_perform(handle.get());
  auto result = std::move(exchange).result(code);
  curl().easy_reset(handle.get());
  handles_->give_back(std::move(handle));
  return result;
}

}  // namespace kura::store::http
