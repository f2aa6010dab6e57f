#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_buffer.hpp"
#include "base/clock.hpp"
#include "expect.hpp"
#include "h1/body_decoder.hpp"
#include "h1/head_lines.hpp"
#include "h1/limits.hpp"
#include "h1/request_head.hpp"
#include "h1/response_head.hpp"
#include "h2/session.hpp"
#include "http/message.hpp"

namespace edgecase {
namespace {

constexpr h2::Limits kLimits = {.concurrent_streams = 4,
                                .header_list_bytes = 2048,
                                .stream_window_bytes = 65535,
                                .connection_window_bytes = 131070,
                                .stream_buffer_bytes = 4096,
                                .resets_per_second = 5,
                                .settings_per_second = 5,
                                .pings_per_second = 5,
                                .empty_frames_per_second = 5,
                                .continuations = 4};
constexpr h1::HeadLimits kHeadLimits = {
    .start_line_bytes = 8192, .line_bytes = 8192, .section_bytes = 16384, .field_count = 256};
constexpr size_t kMaxText = size_t{16} * 65535;  // the window, with a line around each byte

struct Events final : h2::Events {
    void on_opened(uint32_t id) override { texts[id]; }
    void on_readable(uint32_t id) override { touched.push_back(id); }
    void on_writable(uint32_t id) override { touched.push_back(id); }
    void on_closed(uint32_t id) override { closed.push_back(id); }
    void on_settings() override {}
    void on_goaway() override {}
    void on_ping_ack() override {}

    std::map<uint32_t, std::string> texts;
    std::vector<uint32_t> touched;
    std::vector<uint32_t> closed;
};

/// The bytes behind the head; npos when the strict parser refuses it.
size_t body_start(h2::Role role, std::string_view text, bool to_head, http::Framing& framing) {
    if (role == h2::Role::server) {
        h1::RequestHeadParser parser;
        parser.reset(kHeadLimits);
        const h1::Progress progress = parser.parse(text);
        fuzz::expect(progress != h1::Progress::need_more, "the head of a whole message is whole");
        if (progress == h1::Progress::failed) return std::string_view::npos;
        framing = parser.head().framing;
        return parser.head_bytes();
    }
    size_t at = 0;
    for (;;) {
        h1::ResponseHeadParser parser;
        parser.reset(kHeadLimits, {.to_head = to_head, .to_connect = false});
        const h1::Progress progress = parser.parse(text.substr(at));
        fuzz::expect(progress != h1::Progress::need_more, "the head of a whole message is whole");
        if (progress == h1::Progress::failed) return std::string_view::npos;
        at += parser.head_bytes();
        framing = parser.head().framing;
        if (!parser.head().is_interim()) return at;
    }
}

/// Whatever the frames were: the text is one message, from its first to its last byte.
void check_whole(h2::Role role, std::string_view text, bool to_head) {
    http::Framing framing;
    size_t at = body_start(role, text, to_head, framing);
    if (at == std::string_view::npos) return;
    fuzz::expect(framing.kind != http::Framing::Kind::close, "the text has framing");
    h1::BodyDecoder body;
    body.reset(framing, kHeadLimits);
    while (body.state() == h1::BodyDecoder::State::more) {
        const h1::BodyDecoder::Step step = body.next(text.substr(at));
        fuzz::expect(step.consumed > 0 || step.state != h1::BodyDecoder::State::more,
                     "the body of a whole message is whole");
        at += step.consumed;
    }
    if (body.state() == h1::BodyDecoder::State::done) {
        fuzz::expect(at == text.size(), "nothing follows the message");
    }
}

struct User {
    User(h2::Role role_in, unsigned choice_in)
        : role(role_in), choice(choice_in), session(role_in, kLimits, events) {}

    void open_one() {
        const auto id = session.open();
        if (!id) return;
        events.texts[*id];
        const bool head = choice % 4 == 1;
        const bool upload = choice % 4 == 2;
        to_head[*id] = head;
        const std::string method = head ? "HEAD" : upload ? "PUT" : "GET";
        session.write(*id,
                      method + " /a HTTP/1.1\r\nHost: a.test\r\nCookie: b\r\n" +
                          (upload ? "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" : "\r\n"));
    }

    void read(uint32_t id) {
        const std::string_view text = session.readable(id);
        fuzz::expect(text.size() <= kMaxText, "text is bounded");
        const size_t size = choice % 8 < 4 ? text.size() : std::min<size_t>(text.size(), 7);
        events.texts[id] += text.substr(0, size);
        session.consume(id, size);
        if (!session.ended(id) || size < text.size()) return;
        check_whole(role, events.texts[id], to_head[id]);
        if (role == h2::Role::server) {
            const std::string body(choice % 2 == 0 ? 3 : 70000, 'x');
            std::string response =
                "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body;
            if (choice % 8 == 3) {
                response =
                    "HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "1\r\nx\r\n0\r\nA: b\r\n\r\n";
            }
            session.write(id, response);
        }
        if (choice % 16 < 12) close(id);
    }

    void close(uint32_t id) {
        session.close(id, 8);
        events.texts.erase(id);
        fuzz::expect(session.stream_fault(id) == nullptr, "a closed stream means nothing");
    }

    void act() {
        const std::vector<uint32_t> touched = std::exchange(events.touched, {});
        for (const uint32_t id : touched) {
            if (events.texts.contains(id)) read(id);
        }
        const std::vector<uint32_t> closed = std::exchange(events.closed, {});
        for (const uint32_t id : closed) {
            if (!events.texts.contains(id)) continue;
            fuzz::expect(session.stream_fault(id) != nullptr, "a closed stream says why");
            if (choice % 32 < 28) close(id);
        }
        base::ByteBuffer out;
        for (int i = 0; i < 1000 && session.produce(out, 4096); ++i) out.clear();
        fuzz::expect(session.open_streams() == events.texts.size(), "each stream is known");
    }

    h2::Role role;
    unsigned choice;
    Events events;
    std::map<uint32_t, bool> to_head;
    h2::Session session;
};

}  // namespace
}  // namespace edgecase

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace edgecase;
    std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.size() < 2) return 0;
    // The first byte: role, and whether the beginning of a connection is given. The second: what
    // the user does, and how long the pieces are.
    const unsigned kind = data[0];
    const unsigned choice = data[1];
    input.remove_prefix(2);
    User user(kind % 2 == 0 ? h2::Role::client : h2::Role::server, choice);
    base::FakeClock clock;
    if (user.role == h2::Role::client) {
        user.open_one();
        user.open_one();
    }
    user.act();
    std::string bytes;
    if (kind % 8 < 6) {
        if (user.role == h2::Role::server) bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        bytes += std::string("\0\0\0\4\0\0\0\0\0", 9);
    }
    bytes += input;
    std::string_view left = bytes;
    size_t piece = choice / 16 * 13 + 1;
    if (choice / 16 == 15) piece = bytes.size();
    while (!left.empty()) {
        const size_t next = std::min(piece, left.size());
        // From its own allocation, so that nothing is read beyond it or later.
        const std::vector<char> part(left.begin(), left.begin() + static_cast<ptrdiff_t>(next));
        left.remove_prefix(next);
        const bool alive = user.session.receive({part.data(), part.size()}, clock.now());
        fuzz::expect(alive == !user.session.fault().has_value(), "a dead connection says why");
        user.act();
        if (!alive) break;
        if (user.role == h2::Role::client) user.open_one();
        clock.advance(std::chrono::milliseconds(piece));
        piece = piece * 5 % 1021 + 1;
    }
    for (const std::string& line : user.session.frames().lines()) {
        fuzz::expect(!line.empty(), "each frame has a line");
    }
    return 0;
}
