#include "lab/dns_server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace edgecase::lab {
namespace {

using namespace std::string_view_literals;

constexpr size_t kHeaderBytes = 12;
constexpr size_t kMaxDatagramBytes = 1500;
constexpr std::string_view kZone = ".lab.test";

enum class Rcode : uint8_t { no_error = 0, servfail = 2, nxdomain = 3, refused = 5 };

constexpr std::string_view kTypeA = "\x00\x01"sv;
constexpr std::string_view kTypeAaaa = "\x00\x1c"sv;

struct Query {
    std::string_view id;
    std::string_view question;  // name, type, class as they were sent
    std::string_view type;
    std::string name;  // lower case, dotted
};

std::optional<Query> parse(std::string_view bytes) {
    // One question, and the QR bit clear: anything else is no query.
    if (bytes.size() < kHeaderBytes || (bytes[2] & '\x80') != 0) return std::nullopt;
    if (bytes.substr(4, 2) != "\x00\x01"sv) return std::nullopt;
    Query query;
    size_t at = kHeaderBytes;
    while (at < bytes.size() && bytes[at] != 0) {
        const auto size = static_cast<uint8_t>(bytes[at]);
        if (size > 63 || at + 1 + size >= bytes.size()) return std::nullopt;
        if (!query.name.empty()) query.name += '.';
        for (const char c : bytes.substr(at + 1, size)) {
            query.name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
        at += 1 + size;
    }
    const size_t end = at + 5;  // the root label, type, class
    if (end > bytes.size()) return std::nullopt;
    query.id = bytes.substr(0, 2);
    query.question = bytes.substr(kHeaderBytes, end - kHeaderBytes);
    query.type = bytes.substr(at + 1, 2);
    return query;
}

std::string reply_head(const Query& query, Rcode rcode, char answers) {
    std::string reply(query.id);
    reply += "\x84"sv;  // QR, AA
    reply += static_cast<char>(rcode);
    reply += "\x00\x01\x00"sv;
    reply += answers;
    reply += "\x00\x00\x00\x00"sv;
    reply += query.question;
    return reply;
}

std::string address_record(std::string_view type, std::string_view address) {
    std::string record = "\xc0\x0c";  // the question's name
    record += type;
    record += "\x00\x01\x00\x00\x00\x00\x00"sv;  // class IN, TTL 0, high byte of the length
    record += static_cast<char>(address.size());
    record += address;
    return record;
}

std::string with_address(const Query& query, const ip::Address& address) {
    const std::string_view type = address.is_v4() ? kTypeA : kTypeAaaa;
    if (query.type != type) return reply_head(query, Rcode::no_error, 0);
    const auto& bytes = address.bytes();
    return reply_head(query, Rcode::no_error, 1) +
           address_record(type, {reinterpret_cast<const char*>(bytes.data()),
                                 address.is_v4() ? size_t{4} : size_t{16}});
}

/// Well formed up to its one answer, whose length runs past the end of the datagram.
std::string malformed(const Query& query) {
    std::string reply = reply_head(query, Rcode::no_error, 1);
    reply += address_record(query.type, "\x7f\x00\x00\x01"sv);
    reply[reply.size() - 5] = '\x40';
    return reply;
}

}  // namespace

std::optional<std::string> dns_reply(std::string_view datagram, const ip::Address& lab) {
    const auto query = parse(datagram);
    if (!query) return std::nullopt;
    if (!query->name.ends_with(kZone)) return reply_head(*query, Rcode::refused, 0);
    const std::string_view label =
        std::string_view(query->name).substr(0, query->name.size() - kZone.size());
    if (label == "ok") return with_address(*query, lab);
    if (label == "servfail") return reply_head(*query, Rcode::servfail, 0);
    if (label == "refused") return reply_head(*query, Rcode::refused, 0);
    if (label == "nodata") return reply_head(*query, Rcode::no_error, 0);
    if (label == "timeout") return std::nullopt;
    if (label == "malformed") return malformed(*query);
    if (label == "prohibited") return with_address(*query, ip::Address());
    if (label == "multicast") return with_address(*query, ip::Address::v4(0xe0000009));
    return reply_head(*query, Rcode::nxdomain, 0);
}

void serve_dns(const Socket& socket, int stop_descriptor, const ip::Address& lab) {
    while (true) {
        std::array<pollfd, 2> polled{pollfd{socket.descriptor(), POLLIN, 0},
                                     pollfd{stop_descriptor, POLLIN, 0}};
        if (poll(polled.data(), polled.size(), -1) < 0) continue;
        if (polled[1].revents != 0) return;
        std::array<char, kMaxDatagramBytes> buffer;
        sockaddr_storage from{};
        socklen_t from_size = sizeof from;
        auto* address = reinterpret_cast<sockaddr*>(&from);
        const ssize_t size = recvfrom(socket.descriptor(), buffer.data(), buffer.size(),
                                      MSG_DONTWAIT, address, &from_size);
        if (size <= 0) continue;
        const auto reply = dns_reply({buffer.data(), static_cast<size_t>(size)}, lab);
        if (reply) sendto(socket.descriptor(), reply->data(), reply->size(), 0, address, from_size);
    }
}

}  // namespace edgecase::lab
