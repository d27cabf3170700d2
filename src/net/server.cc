#include "net/server.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <fmt/format.h>

#include "base/mutex.h"
#include "base/socket_path.h"
#include "base/time.h"

namespace kura::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using base::ErrorCode;
using Local = asio::local::stream_protocol;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;
using LocalStream = beast::basic_stream<Local>;
using Clock = std::chrono::steady_clock;
using boost::system::error_code;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t kMostHeader = 16U << 10;  // bytes
// Bytes that came and are not understood yet: a header, or what stands before the bytes of a chunk, which has no end
// of its own.
constexpr std::size_t kMostPending = 128U << 10;
constexpr std::uint64_t kMostToSkip = 1U << 20;  // bytes of a body that nobody wanted
constexpr std::chrono::seconds kFirstMinute{60};
constexpr std::chrono::seconds kLastWait{5};  // for connections that were cut
constexpr unsigned kBlockingThreads = 8;

base::Error gone(const error_code& why) { return {ErrorCode::kIo, "the connection ended: " + why.message()}; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

class BeastServer;

class Connection : public Exchange {
 public:
  virtual Task<> run() = 0;
  // On its own executor.
  virtual void close() = 0;
  virtual asio::any_io_executor executor() = 0;
  // Whether a request is under way. From any thread.
  bool busy() const { return busy_; }

 protected:
  std::atomic<bool> busy_ = false;
};

template <typename Stream>
class StreamConnection final : public Connection {
 public:
  // `handler` outlives it, `arguments` are the stream's.
  template <typename... Arguments>
  StreamConnection(BeastServer& server, Handler& handler, std::string address, Arguments&&... arguments)
      : server_(server), handler_(handler), stream_(std::forward<Arguments>(arguments)...) {
    request_.peer.address = std::move(address);
  }

  Task<> run() override;
  void close() override {
    error_code ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
  }
  asio::any_io_executor executor() override { return stream_.get_executor(); }

  const Request& request() const override { return request_; }
  Task<base::Result<std::size_t>> read(base::MutableByteSpan out) override;
  Task<base::Status> answer(Answer answer) override;
  Task<base::Status> begin_answer(Answer answer, std::uint64_t length) override;
  Task<base::Status> write(base::ByteSpan bytes) override;

 private:
  static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;
  using Parser = http::request_parser<http::buffer_body>;
  using Body = http::response<http::buffer_body>;

  Task<bool> serve_one();
  Task<bool> skip_rest();
  void take_request();
  template <typename Message>
  void set_head(Message& message, const Answer& answer);
  void give(std::chrono::seconds time) { beast::get_lowest_layer(stream_).expires_after(time); }
  bool is_too_slow() const;

  BeastServer& server_;
  Handler& handler_;
  Stream stream_;
  beast::flat_buffer buffer_{kMostPending};
  std::optional<Parser> parser_;
  std::optional<Body> body_;
  std::optional<http::response_serializer<http::buffer_body>> serializer_;
  Request request_;
  Clock::time_point began_;
  std::uint64_t received_ = 0;  // of the body
  std::uint64_t to_write_ = 0;  // of the answer
  unsigned status_ = 0;         // of it
  bool answered_ = false, continued_ = false, failed_ = false;
};

class BeastServer final : public Server {
 public:
  explicit BeastServer(const Limits& limits) : limits_(limits) {}

  base::Result<std::uint16_t> listen(const TlsOptions& options, Handler& handler) override;
  base::Status listen_locally(const std::string& path, Handler& handler) override;
  void run(const std::stop_token& stop, std::chrono::seconds grace) override;
  std::size_t cut(const std::function<bool(const Peer&)>& which) override;
  std::vector<Peer> peers() const override;
  Task<> elsewhere(std::function<void()> work) override;

  const Limits& limits() const { return limits_; }
  bool stopping() const { return stopping_; }
  // Once it is known who it is. False when there are too many of these.
  bool admit(const Connection& connection, const Peer& peer);

 private:
  struct TlsListener {
    asio::ssl::context tls;
    tcp::acceptor acceptor;
    Handler& handler;
    std::function<std::int64_t()> clock;
  };
  struct LocalListener {
    Local::acceptor acceptor;
    Handler& handler;
  };
  struct Known {
    std::shared_ptr<Connection> connection;
    Peer peer;
  };

  Task<> accept(TlsListener& listener);
  Task<> accept(LocalListener& listener);
  Task<bool> goes_on(error_code failed);
  void begin(std::shared_ptr<Connection> connection, const std::string& address);
  Task<> serve(std::shared_ptr<Connection> connection);
  bool has_room_for(const std::string& address) const;
  void close(bool idle_only);
  bool wait_for_connections(std::chrono::seconds time);

  const Limits limits_;
  asio::io_context io_;
  asio::thread_pool blocking_{kBlockingThreads};
  std::vector<std::unique_ptr<TlsListener>> tls_;
  std::vector<std::unique_ptr<LocalListener>> local_;
  std::atomic<bool> stopping_ = false;

  mutable base::Mutex mutex_;
  base::CondVar connection_ended_;
  std::map<const Connection*, Known> connections_ KURA_GUARDED_BY(mutex_);
};

template <typename Stream>
Task<> StreamConnection<Stream>::run() {
  if constexpr (kIsTls) {
    give(server_.limits().handshake);
    const auto [failed] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kUse);
    if (failed) co_return;
    if (X509* const certificate = SSL_get1_peer_certificate(stream_.native_handle())) {
      request_.peer.certificate.emplace(std::shared_ptr<X509>(certificate, &X509_free));
    }
  }
  if (!server_.admit(*this, request_.peer)) co_return;
  while (co_await serve_one() && !server_.stopping()) {
  }
  if constexpr (kIsTls) {
    give(server_.limits().handshake);
    [[maybe_unused]] const auto [ignored] = co_await stream_.async_shutdown(kUse);
  }
}

// False when the connection is not to go on.
template <typename Stream>
Task<bool> StreamConnection<Stream>::serve_one() {
  parser_.emplace();
  parser_->header_limit(kMostHeader);
  parser_->body_limit(boost::none);  // the handler counts what it takes
  answered_ = continued_ = false;
  received_ = to_write_ = 0;
  body_.reset();
  serializer_.reset();
  // Waiting for the next request, and then for all of its header.
  give(buffer_.size() == 0 ? server_.limits().idle : server_.limits().header);
  if (buffer_.size() == 0) {
    const auto [failed, count] = co_await stream_.async_read_some(buffer_.prepare(4096), kUse);
    if (failed) co_return false;
    buffer_.commit(count);
  }
  give(server_.limits().header);
  const auto [failed, count] = co_await http::async_read_header(stream_, buffer_, *parser_, kUse);
  if (failed) co_return false;
  busy_ = true;
  take_request();
  began_ = Clock::now();
  co_await handler_.handle(*this);
  handler_.answered(request_, answered_ ? status_ : 0);
  busy_ = false;
  if (failed_ || !answered_ || to_write_ != 0) co_return false;
  co_return parser_->keep_alive() && co_await skip_rest();
}

// A client that is still sending what nobody wanted would not read the answer.
template <typename Stream>
Task<bool> StreamConnection<Stream>::skip_rest() {
  if (request_.length.value_or(0) == 0 && parser_->is_done()) co_return true;
  if (request_.header("expect") == "100-continue" && !continued_) co_return false;
  std::vector<std::uint8_t> rest(64U << 10);
  std::uint64_t skipped = 0;
  while (skipped <= kMostToSkip) {
    const base::Result<std::size_t> got = co_await read(rest);
    if (!got) co_return false;
    if (*got == 0) co_return true;
    skipped += *got;
  }
  co_return false;
}

template <typename Stream>
void StreamConnection<Stream>::take_request() {
  const auto& message = parser_->get();
  request_.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t mark = target.find('?');
  request_.path = std::string(target.substr(0, mark));
  request_.query = mark == std::string_view::npos ? std::string() : std::string(target.substr(mark + 1));
  request_.headers.clear();
  for (const auto& field : message) {
    request_.headers.emplace_back(lower({field.name_string().data(), field.name_string().size()}),
                                  std::string(field.value().data(), field.value().size()));
  }
  const auto length = parser_->content_length();
  request_.length = length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

template <typename Stream>
bool StreamConnection<Stream>::is_too_slow() const {
  const auto took = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began_);
  return took > kFirstMinute && received_ < server_.limits().slowest * static_cast<std::uint64_t>(took.count());
}

template <typename Stream>
Task<base::Result<std::size_t>> StreamConnection<Stream>::read(base::MutableByteSpan out) {
  if (parser_->is_done() || out.empty()) co_return std::size_t{0};
  if (!continued_ && request_.header("expect") == "100-continue") {
    continued_ = true;
    http::response<http::empty_body> go_on(http::status::continue_, 11);
    give(server_.limits().pause);
    const auto [failed, count] = co_await http::async_write(stream_, go_on, kUse);
    if (failed) co_return base::fail(gone(failed));
  }
  auto& body = parser_->get().body();
  body.data = out.data();
  body.size = out.size();
  while (body.size != 0 && !parser_->is_done()) {
    const std::size_t room = body.size;
    give(server_.limits().pause);
    const auto [failed, count] = co_await http::async_read_some(stream_, buffer_, *parser_, kUse);
    received_ += room - body.size;
    failed_ = failed && failed != http::error::need_buffer;
    if (failed_) co_return base::fail(gone(failed));
    failed_ = is_too_slow();
    if (failed_) co_return base::fail(ErrorCode::kIo, "the body comes too slowly");
  }
  co_return out.size() - body.size;
}

template <typename Stream>
template <typename Message>
void StreamConnection<Stream>::set_head(Message& message, const Answer& answer) {
  status_ = answer.status;
  message.result(answer.status);
  message.version(11);
  message.keep_alive(parser_->keep_alive() && !server_.stopping());
  message.set(http::field::content_type, answer.type);
  for (const auto& [name, value] : answer.headers) message.set(name, value);
}

template <typename Stream>
Task<base::Status> StreamConnection<Stream>::answer(Answer answer) {
  answered_ = true;
  http::response<http::string_body> message;
  set_head(message, answer);
  message.body() = std::move(answer.body);
  // The answer to HEAD says how long it would be, and has no body.
  message.prepare_payload();
  give(server_.limits().pause);
  if (request_.method == "HEAD") {
    http::response_serializer<http::string_body> serializer(message);
    serializer.split(true);
    const auto [failed, count] = co_await http::async_write_header(stream_, serializer, kUse);
    failed_ = failed_ || failed;
    if (failed) co_return base::fail(gone(failed));
    co_return base::Status{};
  }
  const auto [failed, count] = co_await http::async_write(stream_, message, kUse);
  failed_ = failed_ || failed;
  if (failed) co_return base::fail(gone(failed));
  co_return base::Status{};
}

template <typename Stream>
Task<base::Status> StreamConnection<Stream>::begin_answer(Answer answer, std::uint64_t length) {
  answered_ = true;
  to_write_ = request_.method == "HEAD" ? 0 : length;
  body_.emplace();
  set_head(*body_, answer);
  body_->content_length(length);
  body_->body().data = nullptr;
  body_->body().more = length != 0;
  serializer_.emplace(*body_);
  give(server_.limits().pause);
  const auto [failed, count] = co_await http::async_write_header(stream_, *serializer_, kUse);
  failed_ = failed_ || failed;
  if (failed) co_return base::fail(gone(failed));
  co_return base::Status{};
}

template <typename Stream>
Task<base::Status> StreamConnection<Stream>::write(base::ByteSpan bytes) {
  if (request_.method == "HEAD" || bytes.empty()) co_return base::Status{};
  if (bytes.size() > to_write_) co_return base::fail(ErrorCode::kUsage, "more is written than the answer has");
  to_write_ -= bytes.size();
  body_->body().data = const_cast<std::uint8_t*>(bytes.data());
  body_->body().size = bytes.size();
  body_->body().more = to_write_ != 0;
  give(server_.limits().pause);
  const auto [failed, count] = co_await http::async_write(stream_, *serializer_, kUse);
  if (failed && failed != http::error::need_buffer) {
    failed_ = true;
    co_return base::fail(gone(failed));
  }
  co_return base::Status{};
}

base::Status set_up(asio::ssl::context& tls, const TlsOptions& options) {
  SSL_CTX* const context = tls.native_handle();
  error_code failed;
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  tls.use_certificate_chain(asio::buffer(options.certificate_chain), failed);
  if (failed) return base::fail(ErrorCode::kDamaged, "the server's certificate cannot be used: " + failed.message());
  if (SSL_CTX_use_PrivateKey(context, options.key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return base::fail(ErrorCode::kWrongKey, "the server's key does not belong to its certificate");
  }
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), options.clients.get());
  SSL_CTX_add_client_CA(context, options.clients.get());
  // Who has no certificate comes in, and is then told what may be had without one.
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);  // a session that goes on would pass by a check of the certificate
  return {};
}

// For long lossy lines; connections have it from the socket that listens. A machine that does not have it, or does not
// let this user, goes on with what it has.
void ask_for_bbr(int listening) {
  constexpr std::string_view kWanted = "bbr";
  ::setsockopt(listening, IPPROTO_TCP, TCP_CONGESTION, kWanted.data(), static_cast<socklen_t>(kWanted.size()));
}

base::Result<std::uint16_t> BeastServer::listen(const TlsOptions& options, Handler& handler) {
  auto listener = std::make_unique<TlsListener>(asio::ssl::context(asio::ssl::context::tls_server), tcp::acceptor(io_),
                                                handler, options.clock);
  KURA_TRY(set_up(listener->tls, options));
  error_code failed;
  const auto address = asio::ip::make_address(options.address, failed);
  if (failed) return base::fail(ErrorCode::kUsage, fmt::format("'{}' is no address to listen at", options.address));
  const tcp::endpoint endpoint(address, options.port);
  tcp::acceptor& acceptor = listener->acceptor;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) {
    const bool taken = failed == asio::error::address_in_use;
    return base::fail(taken ? ErrorCode::kConflict : ErrorCode::kDenied,
                      fmt::format("cannot listen at {} port {}: {}", options.address, options.port, failed.message()),
                      taken ? "see which program has the port (`ss -ltnp`), or choose another" : "");
  }
  ask_for_bbr(acceptor.native_handle());
  const std::uint16_t port = acceptor.local_endpoint().port();
  tls_.push_back(std::move(listener));
  return port;
}

base::Status BeastServer::listen_locally(const std::string& path, Handler& handler) {
  const auto refused = [&](const std::string& why) {
    return base::fail(ErrorCode::kDenied, fmt::format("cannot listen at {}: {}", path, why));
  };
  const base::SocketPath place(path);
  struct sockaddr_un limit{};
  if (place.text().size() >= sizeof limit.sun_path) return refused("the path is too long for a socket");
  ::unlink(path.c_str());
  auto listener = std::make_unique<LocalListener>(Local::acceptor(io_), handler);
  error_code failed;
  listener->acceptor.open(Local(), failed);
  const mode_t before = ::umask(0177);
  if (!failed) listener->acceptor.bind(Local::endpoint(place.text()), failed);
  ::umask(before);
  if (!failed) listener->acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return refused(failed.message());
  local_.push_back(std::move(listener));
  return {};
}

// After an accept that failed: false when the listener was closed.
Task<bool> BeastServer::goes_on(error_code failed) {
  if (failed == asio::error::operation_aborted || stopping_) co_return false;
  asio::steady_timer pause(io_, std::chrono::milliseconds(50));  // no descriptors, say: others may come free
  [[maybe_unused]] const auto [ignored] = co_await pause.async_wait(kUse);
  co_return true;
}

Task<> BeastServer::accept(TlsListener& listener) {
  while (true) {
    auto [failed, socket] = co_await listener.acceptor.async_accept(asio::make_strand(io_), kUse);
    if (failed) {
      if (!co_await goes_on(failed)) co_return;
      continue;
    }
    error_code unknown;
    const auto from = socket.remote_endpoint(unknown);
    const std::string address = unknown ? std::string("?") : from.address().to_string();
    if (!has_room_for(address)) continue;  // and closes it
    socket.set_option(tcp::no_delay(true), unknown);
    // The connection's copy of it holds from here on.
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(listener.tls.native_handle()), listener.clock() / base::kSecond);
    begin(std::make_shared<StreamConnection<TlsStream>>(*this, listener.handler, address, std::move(socket),
                                                        listener.tls),
          address);
  }
}

Task<> BeastServer::accept(LocalListener& listener) {
  while (true) {
    auto [failed, socket] = co_await listener.acceptor.async_accept(asio::make_strand(io_), kUse);
    if (failed) {
      if (!co_await goes_on(failed)) co_return;
      continue;
    }
    begin(std::make_shared<StreamConnection<LocalStream>>(*this, listener.handler, std::string(), std::move(socket)),
          "");
  }
}

void BeastServer::begin(std::shared_ptr<Connection> connection, const std::string& address) {
  {
    const base::MutexLock lock(mutex_);
    if (stopping_) return;  // and closes it: nobody would wait for it
    connections_.emplace(connection.get(), Known{connection, {.address = address, .certificate = {}}});
  }
  asio::co_spawn(connection->executor(), serve(connection), asio::detached);
}

Task<> BeastServer::serve(std::shared_ptr<Connection> connection) {
  try {
    co_await connection->run();
  } catch (const std::exception&) {
    // Memory: this connection ends, the others go on.
  }
  connection->close();
  const base::MutexLock lock(mutex_);
  connections_.erase(connection.get());
  connection_ended_.notify_all();
}

bool BeastServer::has_room_for(const std::string& address) const {
  const base::MutexLock lock(mutex_);
  const auto of_address =
      std::ranges::count_if(connections_, [&](const auto& known) { return known.second.peer.address == address; });
  return connections_.size() < limits_.connections && static_cast<std::size_t>(of_address) < limits_.of_an_address;
}

bool BeastServer::admit(const Connection& connection, const Peer& peer) {
  const base::MutexLock lock(mutex_);
  connections_.at(&connection).peer = peer;
  if (peer.certificate || peer.address.empty()) return true;
  const auto strangers = std::ranges::count_if(connections_, [](const auto& known) {
    return !known.second.peer.certificate && !known.second.peer.address.empty();
  });
  return static_cast<std::size_t>(strangers) <= limits_.without_certificate;
}

std::size_t BeastServer::cut(const std::function<bool(const Peer&)>& which) {
  const base::MutexLock lock(mutex_);
  std::size_t count = 0;
  for (const auto& [key, known] : connections_) {
    if (!which(known.peer)) continue;
    asio::post(known.connection->executor(), [connection = known.connection] { connection->close(); });
    ++count;
  }
  return count;
}

std::vector<Peer> BeastServer::peers() const {
  const base::MutexLock lock(mutex_);
  std::vector<Peer> peers;
  for (const auto& [key, known] : connections_) peers.push_back(known.peer);
  return peers;
}

Task<> BeastServer::elsewhere(std::function<void()> work) {
  co_await asio::co_spawn(
      blocking_,
      [work = std::move(work)]() -> Task<> {
        work();
        co_return;
      },
      asio::use_awaitable);
}

void BeastServer::close(bool idle_only) {
  const base::MutexLock lock(mutex_);
  for (const auto& [key, known] : connections_) {
    if (idle_only && known.connection->busy()) continue;
    asio::post(known.connection->executor(), [connection = known.connection] { connection->close(); });
  }
}

// False when some are left after that time.
bool BeastServer::wait_for_connections(std::chrono::seconds time) {
  const auto end = Clock::now() + time;
  const base::MutexLock lock(mutex_);
  while (!connections_.empty()) {
    if (!connection_ended_.wait_until(mutex_, end)) return connections_.empty();
  }
  return true;
}

void BeastServer::run(const std::stop_token& stop, std::chrono::seconds grace) {
  const unsigned count = limits_.threads != 0 ? limits_.threads : std::max(1U, std::thread::hardware_concurrency());
  for (const auto& listener : tls_) asio::co_spawn(io_, accept(*listener), asio::detached);
  for (const auto& listener : local_) asio::co_spawn(io_, accept(*listener), asio::detached);
  auto work = asio::make_work_guard(io_);
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < count; ++i) threads.emplace_back([this] { io_.run(); });

  base::Mutex mutex;
  base::CondVar stopped;
  const std::stop_callback on_stop(stop, [&] {
    const base::MutexLock lock(mutex);
    stopped.notify_one();
  });
  {
    const base::MutexLock lock(mutex);
    while (!stop.stop_requested()) stopped.wait(mutex);
  }
  stopping_ = true;
  asio::post(io_, [this] {
    error_code ignored;
    for (const auto& listener : tls_) listener->acceptor.close(ignored);
    for (const auto& listener : local_) listener->acceptor.close(ignored);
  });
  close(/*idle_only=*/true);  // the others end with their request, since it is stopping
  if (!wait_for_connections(grace)) {
    close(/*idle_only=*/false);
    wait_for_connections(kLastWait);
  }
  work.reset();
  io_.stop();
  threads.clear();
  blocking_.join();
}

}  // namespace

std::string_view Request::header(std::string_view lower_case_name) const {
  const auto found = std::ranges::find(headers, lower_case_name, [](const Header& header) { return header.first; });
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    return equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
  }
  return std::nullopt;
}

std::unique_ptr<Server> Server::create(const Limits& limits) { return std::make_unique<BeastServer>(limits); }

}  // namespace kura::net
