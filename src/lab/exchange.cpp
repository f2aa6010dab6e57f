#include "lab/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "lab/killed_child.hpp"

namespace edgecase::lab {
namespace {

constexpr size_t kMaxChunkLineBytes = 4096;

constexpr std::string_view kFiller =
    "This line of sixty-four bytes is filler sent by edgecase lab...\n";
static_assert(kFiller.size() == 64);

/// The bytes a HEAD may have: all heads, no body.
std::string_view heads_only(std::string_view bytes) {
    const size_t end = bytes.rfind("\r\n\r\n");
    const size_t final_head = bytes.rfind("HTTP/1.", end);
    const size_t head_end = bytes.find("\r\n\r\n", final_head);
    return head_end == std::string_view::npos ? bytes : bytes.substr(0, head_end + 4);
}

}  // namespace

bool Exchange::read_body_start(uint64_t bytes) {
    if (request_.expects_continue && !continued_) {
        continued_ = true;
        if (!send("HTTP/1.1 100 Continue\r\n\r\n")) return false;
    }
    return connection_.skip(bytes);
}

bool Exchange::read_body() {
    if (!request_.is_chunked) {
        return read_body_start(request_.content_length);
    }
    if (!read_body_start(0)) return false;
    while (true) {
        const auto line = connection_.read_until("\r\n", kMaxChunkLineBytes);
        if (!line) return false;
        uint64_t size = 0;
        if (std::from_chars(line->data(), line->data() + line->size(), size, 16).ec !=
            std::errc()) {
            return false;
        }
        if (size == 0) break;
        if (!connection_.skip(size + 2)) return false;
    }
    // Trailer fields end with an empty line.
    for (auto line = connection_.read_until("\r\n", kMaxChunkLineBytes); line;
         line = connection_.read_until("\r\n", kMaxChunkLineBytes)) {
        if (*line == "\r\n") return true;
    }
    return false;
}

bool Exchange::wait_for_body() {
    return read_body_start(0) && connection_.wait_readable();
}

bool Exchange::send_filler(uint64_t bytes) {
    std::string block;
    for (int i = 0; i < 256; ++i) block += kFiller;
    while (bytes > 0) {
        const uint64_t size = std::min<uint64_t>(bytes, block.size());
        if (!send(std::string_view(block).substr(0, static_cast<size_t>(size)))) return false;
        bytes -= size;
    }
    return true;
}

void Exchange::answer(std::string_view status, std::string_view fields, std::string_view body) {
    if (!read_body()) return;
    const std::string head = fmt::format(
        "HTTP/1.1 {}\r\nServer: edgecase-lab\r\nConnection: {}\r\n{}Content-Length: "
        "{}\r\n\r\n",
        status, keep_alive_ ? "keep-alive" : "close", fields, body.size());
    if (!send(head + std::string(request_.is_head() ? "" : body))) return;
    if (keep_alive_) {
        keeps_open_ = true;
    } else {
        finish();
    }
}

void Exchange::hang() {
    connection_.pause(kPatience);
    connection_.close();
}

void Exchange::die_in_child(std::string_view bytes) {
    const std::string sealed = connection_.sealed(bytes);
    send_and_die(connection_.release(), sealed);
}

void Exchange::perform(const Scenario& scenario) {
    if (scenario.serve != nullptr) {
        scenario.serve(*this);
        return;
    }
    if (!read_body()) return;
    const bool is_good =
        scenario.cause == cause::Cause::none || scenario.cause == cause::Cause::origin_status;
    if (!send(is_good && request_.is_head() ? heads_only(scenario.bytes) : scenario.bytes)) return;
    connection_.end(scenario.ending);
}

}  // namespace edgecase::lab
