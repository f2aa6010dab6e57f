// Owns two sessions in memory, and frames built by hand, for tests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_buffer.hpp"
#include "base/clock.hpp"
#include "h2/fault.hpp"
#include "h2/frame_scanner.hpp"
#include "h2/session.hpp"

namespace edgecase::h2 {

struct Told : Events {
    std::vector<uint32_t> opened, readable, writable, closed;
    int settings = 0, goaways = 0, ping_acks = 0;

    void on_opened(uint32_t id) override { opened.push_back(id); }
    void on_readable(uint32_t id) override { readable.push_back(id); }
    void on_writable(uint32_t id) override { writable.push_back(id); }
    void on_closed(uint32_t id) override { closed.push_back(id); }
    void on_settings() override { ++settings; }
    void on_goaway() override { ++goaways; }
    void on_ping_ack() override { ++ping_acks; }
};

inline std::string bytes_of(Session& session, size_t maximum = size_t{1} << 20) {
    base::ByteBuffer out;
    session.produce(out, maximum);
    return std::string(out.view());
}

/// Reads and consumes what has come.
inline std::string take(Session& session, uint32_t id) {
    std::string text(session.readable(id));
    session.consume(id, text.size());
    return text;
}

/// The edge's two faces, talking to each other.
struct Pair {
    explicit Pair(const Limits& limits = {})
        : client(Role::client, limits, at_client), server(Role::server, limits, at_server) {}

    void pump() {
        for (bool moved = true; moved;) {
            moved = false;
            if (const std::string bytes = bytes_of(client); !bytes.empty()) {
                moved = true;
                server.receive(bytes, clock.now());
            }
            if (const std::string bytes = bytes_of(server); !bytes.empty()) {
                moved = true;
                client.receive(bytes, clock.now());
            }
        }
    }
    uint32_t request(std::string_view text) {
        const uint32_t id = client.open().value_or(0);
        EXPECT_EQ(client.write(id, text), text.size());
        pump();
        return id;
    }
    void respond(uint32_t id, std::string_view text) {
        EXPECT_EQ(server.write(id, text), text.size());
        pump();
    }

    base::FakeClock clock;
    Told at_client, at_server;
    Session client, server;
};

// ---- frames by hand ----

inline std::string number(uint32_t value, int bytes = 4) {
    std::string text;
    for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 255U);
    return text;
}

inline std::string frame(FrameType type, uint8_t flags, uint32_t stream, std::string_view payload) {
    return number(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) +
           static_cast<char>(flags) + number(stream) + std::string(payload);
}

using Fields = std::vector<std::pair<std::string, std::string>>;

/// HPACK literals without indexing, lengths below 16383 (RFC 7541 §6.2.2).
inline std::string block(const Fields& fields) {
    const auto text = [](std::string_view value) {
        std::string coded;
        size_t size = value.size();
        if (size < 127) {
            coded += static_cast<char>(size);
        } else {
            coded += '\x7f';
            for (size -= 127; size >= 128; size /= 128) {
                coded += static_cast<char>(size % 128 + 128);
            }
            coded += static_cast<char>(size);
        }
        return coded.append(value);
    };
    std::string coded;
    for (const auto& [name, value] : fields) {
        coded += '\0';
        coded += text(name);
        coded += text(value);
    }
    return coded;
}

inline std::string headers(uint32_t stream, const Fields& fields, uint8_t flags = kEndHeaders) {
    return frame(FrameType::headers, flags, stream, block(fields));
}
inline std::string data(uint32_t stream, std::string_view payload, uint8_t flags = 0) {
    return frame(FrameType::data, flags, stream, payload);
}
inline std::string settings(std::string_view payload = {}) {
    return frame(FrameType::settings, 0, 0, payload);
}

inline constexpr uint8_t kWhole = kEndHeaders | kEndStream;
inline const Fields kGet = {
    {":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "a.test"}};

inline Fields with(Fields fields, const Fields& more) {
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
}

/// The edge towards an origin whose frames a test writes; stream 1 has sent a GET.
struct TowardsOrigin {
    explicit TowardsOrigin(std::string_view method = "GET", const Limits& limits = {})
        : session(Role::client, limits, told) {
        id = session.open().value_or(0);
        session.write(id, std::string(method) + " / HTTP/1.1\r\nHost: a.test\r\n\r\n");
        bytes_of(session);
        session.receive(settings(), clock.now());
    }
    bool receive(std::string_view bytes) { return session.receive(bytes, clock.now()); }
    Rule rule() const {
        const Fault* const fault = session.stream_fault(id);
        return fault == nullptr ? Rule::none : fault->rule;
    }
    Rule connection_rule() const { return session.fault() ? session.fault()->rule : Rule::none; }

    base::FakeClock clock;
    Told told;
    Session session;
    uint32_t id = 0;
};

/// The edge towards a client whose frames a test writes.
struct TowardsClient {
    explicit TowardsClient(const Limits& limits = {}) : session(Role::server, limits, told) {
        bytes_of(session);
        session.receive(std::string(kPreface) + settings(), clock.now());
    }
    bool receive(std::string_view bytes) { return session.receive(bytes, clock.now()); }
    Rule rule(uint32_t stream) const {
        const Fault* const fault = session.stream_fault(stream);
        return fault == nullptr ? Rule::none : fault->rule;
    }
    Rule connection_rule() const { return session.fault() ? session.fault()->rule : Rule::none; }

    base::FakeClock clock;
    Told told;
    Session session;
};

}  // namespace edgecase::h2
