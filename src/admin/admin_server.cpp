#include "admin/admin_server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <thread>

#include "base/ascii.hpp"

namespace edgecase::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::use_awaitable;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;
using Stream = beast::basic_stream<Protocol>;
using Parser = http::request_parser<http::string_body>;
template <typename T>
using Async = asio::awaitable<T>;

constexpr size_t kMaximumConnections = 64;
constexpr size_t kMaximumStreams = 16;  // live tails
constexpr std::chrono::seconds kRequestTime{5};
constexpr std::chrono::seconds kAnswerTime{30};
constexpr std::chrono::seconds kIdleTime{30};
constexpr std::chrono::milliseconds kTailInterval{200};
constexpr std::chrono::seconds kHeartbeat{15};
constexpr uint32_t kMaximumHeadBytes = 16 * 1024;
constexpr uint64_t kMaximumBodyBytes = 16 * 1024;

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

/// Errors: nullopt, for what is no request to us.
std::optional<Request> request_of(const http::request<http::string_body>& message) {
    Request request;
    request.method = std::string(view(message.method_string()));
    if (!parse_target(view(message.target()), request)) return std::nullopt;
    const auto field = [&](http::field name) { return std::string(view(message[name])); };
    request.host = field(http::field::host);
    request.origin = field(http::field::origin);
    request.fetch_site = std::string(view(message["Sec-Fetch-Site"]));
    request.authorization = field(http::field::authorization);
    request.cookie = field(http::field::cookie);
    const std::string type = field(http::field::content_type);
    request.content_type = base::to_lower(type.substr(0, type.find_first_of("; ")));
    request.gzip = field(http::field::accept_encoding).contains("gzip");
    request.body = message.body();
    return request;
}

http::response<http::string_body> message_of(Response response, bool head_only, bool keep_alive) {
    http::response<http::string_body> message;
    message.version(11);
    message.result(response.status);
    message.set(http::field::cache_control, "no-store");
    if (!response.type.empty()) message.set(http::field::content_type, response.type);
    for (const auto& [name, value] : response.fields) message.insert(name, value);
    message.keep_alive(keep_alive);
    if (response.status != 204) message.content_length(response.body.size());
    if (!head_only) message.body() = std::move(response.body);
    return message;
}

class Server final : public AdminServer {
  public:
    Server(Backend backend, std::string token)
        : router_(std::move(backend), std::move(token)), acceptor_(io_) {}
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    ~Server() override {
        asio::post(io_, [this] {
            ending_ = true;
            error_code ignored;
            acceptor_.close(ignored);
            io_.stop();
        });
        if (thread_.joinable()) thread_.join();
        readers_.stop();  // what waits is not begun any more
        readers_.join();
        if (!socket_.empty()) ::unlink(socket_.c_str());
    }

    std::expected<void, std::string> listen(const AdminAddress& where) {
        const bool local = !where.socket.empty();
        const auto failed = [&](const error_code& error) {
            const bool taken = error == asio::error::address_in_use;
            return std::unexpected(
                "cannot listen on " +
                (local ? "unix:" + where.socket : where.endpoint.to_string()) + " (admin): " +
                (taken ? "the " + std::string(local ? "path" : "port") + " is in use"
                       : error.message()));
        };
        error_code error;
        Protocol::endpoint endpoint;
        if (local) {
            if (where.socket.size() > 107)
                return std::unexpected("the path of the admin socket is longer than 107 bytes");
            clear_stale_socket(where.socket);
            endpoint = asio::local::stream_protocol::endpoint(where.socket);
        } else {
            const auto address = asio::ip::make_address(where.endpoint.address.to_string(), error);
            if (error) return failed(error);
            endpoint = asio::ip::tcp::endpoint(address, where.endpoint.port);
        }
        acceptor_.open(endpoint.protocol(), error);
        if (!error && !local) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (error) return failed(error);
        if (local) {
            socket_ = where.socket;
            ::chmod(socket_.c_str(), 0660);
        }
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error) return failed(error);
        address_ = local ? "unix:" + where.socket : bound_address(where.endpoint);
        asio::co_spawn(io_, accept(), asio::detached);
        thread_ = std::thread([this] { io_.run(); });
        return {};
    }

    std::string address() const override { return address_; }

  private:
    /// The path of a process that is gone may be taken; that of one that answers not.
    void clear_stale_socket(const std::string& path) {
        struct stat info{};
        if (::lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
        asio::local::stream_protocol::socket probe(io_);
        error_code error;
        probe.connect(asio::local::stream_protocol::endpoint(path), error);
        if (error == asio::error::connection_refused) ::unlink(path.c_str());
    }

    std::string bound_address(ip::Endpoint wanted) {
        error_code error;
        const Protocol::endpoint local = acceptor_.local_endpoint(error);
        if (!error) {
            asio::ip::tcp::endpoint tcp;
            tcp.resize(std::min(local.size(), tcp.capacity()));
            std::memcpy(tcp.data(), local.data(), tcp.size());
            wanted.port = tcp.port();
        }
        return wanted.to_string();
    }

    /// Empty on a Unix socket.
    static std::string peer_of(Stream& stream) {
        error_code error;
        const Protocol::endpoint remote = stream.socket().remote_endpoint(error);
        if (error || remote.protocol().family() == AF_UNIX) return {};
        asio::ip::tcp::endpoint tcp;
        tcp.resize(std::min(remote.size(), tcp.capacity()));
        std::memcpy(tcp.data(), remote.data(), tcp.size());
        return tcp.address().to_string();
    }

    Async<void> accept() {
        while (!ending_) {
            Protocol::socket socket(io_);
            error_code error;
            co_await acceptor_.async_accept(socket, asio::redirect_error(use_awaitable, error));
            if (error == asio::error::operation_aborted) co_return;
            if (error) {
                asio::steady_timer pause(io_, std::chrono::milliseconds(50));
                co_await pause.async_wait(asio::redirect_error(use_awaitable, error));
                continue;
            }
            if (connections_ >= kMaximumConnections) {
                // Whoever has been silent longest makes room, or else nobody.
                if (silent_.empty()) continue;
                silent_.front()->cancel();
                silent_.pop_front();
            }
            asio::co_spawn(io_, serve(Stream(std::move(socket))), asio::detached);
        }
    }

    struct Count {
        explicit Count(size_t& number) : number_(number) { ++number_; }
        Count(const Count&) = delete;
        Count& operator=(const Count&) = delete;
        ~Count() { --number_; }
        size_t& number_;
    };

    /// While we wait for the other side, with a request or an answer half done or with none, the
    /// connection may be closed from elsewhere.
    struct Silence {
        Silence(std::list<Stream*>& all, Stream& stream) : all_(all), stream_(stream) {
            all_.push_back(&stream_);
        }
        Silence(const Silence&) = delete;
        Silence& operator=(const Silence&) = delete;
        ~Silence() { all_.remove(&stream_); }
        std::list<Stream*>& all_;
        Stream& stream_;
    };

    Async<void> serve(Stream stream) {
        const Count count(connections_);
        const std::string peer = peer_of(stream);
        beast::flat_buffer buffer;
        for (bool first = true; !ending_; first = false) {
            Parser parser;
            parser.header_limit(kMaximumHeadBytes);
            parser.body_limit(kMaximumBodyBytes);
            error_code error;
            stream.expires_after(first ? kRequestTime : kIdleTime);
            {
                const Silence silence(silent_, stream);
                co_await http::async_read_header(stream, buffer, parser,
                                                 asio::redirect_error(use_awaitable, error));
                // A body of unknown length is none of ours.
                if (!error && parser.chunked()) error = http::error::bad_transfer_encoding;
                if (!error) {
                    co_await http::async_read(stream, buffer, parser,
                                              asio::redirect_error(use_awaitable, error));
                }
            }
            // What is no HTTP gets an answer; a connection that is gone cannot.
            const bool gone = error == http::error::end_of_stream ||
                              error == http::error::partial_message ||
                              error == beast::error::timeout ||
                              error.category() == boost::system::system_category();
            if (error && gone) break;
            auto request = error ? std::nullopt : request_of(parser.get());
            if (request) request->peer = peer;
            const bool keep_alive = request && parser.get().keep_alive();
            Response response = request ? co_await answer(*request)
                                        : Response::error(400, "the request is not understood");
            const bool is_tail = response.status == 200 && request && Router::is_tail(*request);
            if (is_tail) {
                co_await tail(stream, *request, std::move(response));
                break;
            }
            const bool head_only = request && request->method == "HEAD";
            auto message = message_of(std::move(response), head_only, keep_alive);
            stream.expires_after(kAnswerTime);
            {
                const Silence silence(silent_, stream);
                co_await http::async_write(stream, message,
                                           asio::redirect_error(use_awaitable, error));
            }
            if (error || !keep_alive) break;
        }
        error_code ignored;
        stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    }

    /// What may take a while goes to the one thread that reads the store.
    Async<Response> answer(const Request& request) {
        if (router_.is_quick(request)) co_return router_.answer(request);
        co_return co_await asio::co_spawn(
            readers_, [&]() -> Async<Response> { co_return router_.answer(request); },
            use_awaitable);
    }

    Async<void> tail(Stream& stream, const Request& request, Response response) {
        if (streams_ >= kMaximumStreams) {
            auto message = message_of(Response::error(503, "too many watch already"), false, false);
            error_code ignored;
            co_await http::async_write(stream, message,
                                       asio::redirect_error(use_awaitable, ignored));
            co_return;
        }
        const Count count(streams_);
        const auto watcher = router_.watch(request);
        std::string text =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n";
        for (const auto& [name, value] : response.fields)
            text.append(name).append(": ").append(value).append("\r\n");
        text += "\r\nretry: 2000\n\n";
        asio::steady_timer timer(io_);
        auto beat = std::chrono::steady_clock::now();
        while (!ending_) {
            error_code error;
            const auto now = std::chrono::steady_clock::now();
            if (text.empty() && now - beat >= kHeartbeat) text = ":\n\n";
            if (!text.empty()) {
                beat = now;
                stream.expires_after(kAnswerTime);
                co_await asio::async_write(stream, asio::buffer(text),
                                           asio::redirect_error(use_awaitable, error));
                if (error) co_return;
            }
            timer.expires_after(kTailInterval);
            co_await timer.async_wait(asio::redirect_error(use_awaitable, error));
            if (error || has_ended(stream)) co_return;
            text = events_text(watcher->take());
        }
    }

    /// The watcher closed its end.
    static bool has_ended(Stream& stream) {
        error_code error;
        char byte = 0;
        stream.socket().non_blocking(true, error);
        const auto got =
            stream.socket().receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, error);
        return error ? error != asio::error::would_block : got == 0;
    }

    Router router_;
    // On the listener's thread only. Connections that io_ still has at its end refer to them.
    bool ending_ = false;
    size_t connections_ = 0;
    std::list<Stream*> silent_;  // whose other side is waited for, longest first
    size_t streams_ = 0;
    asio::io_context io_{1};
    asio::thread_pool readers_{1};
    asio::basic_socket_acceptor<Protocol> acceptor_;
    std::string address_;
    std::string socket_;
    std::thread thread_;
};

}  // namespace

std::expected<std::unique_ptr<AdminServer>, std::string> AdminServer::start(
    const AdminAddress& listen, std::string token, Backend backend) {
    auto server = std::make_unique<Server>(std::move(backend), std::move(token));
    if (auto done = server->listen(listen); !done) return std::unexpected(done.error());
    return server;
}

}  // namespace edgecase::admin
