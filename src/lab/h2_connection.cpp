#include "lab/h2_connection.hpp"

#include <algorithm>

namespace edgecase::lab {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

bool H2Connection::begin(const std::vector<std::pair<uint16_t, uint32_t>>& settings) {
    const auto until = steady_clock::now() + kPatience;
    while (buffer_.size() < h2::kPreface.size()) {
        if (connection_.has_ended() || steady_clock::now() > until) return false;
        connection_.receive(buffer_, kPatience);
    }
    if (!buffer_.starts_with(h2::kPreface)) return false;
    buffer_.erase(0, h2::kPreface.size());
    return send(h2::settings(settings));
}

std::optional<H2Request> H2Connection::next_request() {
    const auto until = steady_clock::now() + kPatience;
    while (requests_.empty()) {
        if (!pump(kPatience) || steady_clock::now() > until) return std::nullopt;
    }
    H2Request request = std::move(requests_.front());
    requests_.pop_front();
    return request;
}

bool H2Connection::pump(milliseconds timeout) {
    if (is_broken_) return false;
    auto frame = h2::take_frame(buffer_);
    if (!frame) {
        if (connection_.has_ended()) return false;
        connection_.receive(buffer_, timeout);
        frame = h2::take_frame(buffer_);
    }
    if (frame) take(*frame);
    return !is_broken_;
}

void H2Connection::take(const h2::Frame& frame) {
    switch (frame.type) {
        case h2::Type::settings:
            take_settings(frame);
            break;
        case h2::Type::headers:
        case h2::Type::continuation:
            take_headers(frame);
            break;
        case h2::Type::data:
            take_data(frame);
            break;
        case h2::Type::window_update:
            take_window_update(frame);
            break;
        case h2::Type::rst_stream:
            streams_[frame.stream_id].is_reset = true;
            drop_body(frame.stream_id);  // others share the connection's window
            break;
        case h2::Type::goaway:
            is_leaving_ = true;
            break;
        case h2::Type::ping:
            if (!frame.has(h2::kAck) && !is_silent_) {
                send(h2::frame(h2::Type::ping, h2::kAck, 0, frame.payload));
            }
            break;
        case h2::Type::priority:
        case h2::Type::push_promise:
            break;
    }
}

void H2Connection::take_settings(const h2::Frame& frame) {
    if (frame.has(h2::kAck)) return;
    for (std::string_view rest = frame.payload; rest.size() >= 6; rest.remove_prefix(6)) {
        const uint32_t name = h2::read_u32(rest) >> 16;
        const int64_t value = h2::read_u32(rest.substr(2));
        if (name != h2::kInitialWindowSize) continue;
        for (auto& [id, stream] : streams_) stream.send_window += value - initial_window_;
        initial_window_ = value;
    }
    if (!is_silent_) send(h2::frame(h2::Type::settings, h2::kAck, 0, ""));
}

void H2Connection::take_headers(const h2::Frame& frame) {
    const auto content = frame.content();
    if (!content) {
        is_broken_ = true;
        return;
    }
    if (frame.type == h2::Type::headers) {
        block_.clear();
        block_ends_stream_ = frame.has(h2::kEndStream);
    }
    block_ += *content;
    if (!frame.has(h2::kEndHeaders)) return;
    const auto fields = decoder_.decode(block_);
    if (!fields) {
        is_broken_ = true;
        return;
    }
    const bool is_new = !streams_.contains(frame.stream_id);
    Stream& stream = streams_[frame.stream_id];
    stream.has_ended = block_ends_stream_;
    if (!is_new) return;  // trailers
    stream.send_window = initial_window_;
    H2Request request{frame.stream_id, {}, {}};
    for (const Field& field : *fields) {
        if (field.name == ":method") request.method = field.value;
        if (field.name == ":path") request.path = field.value.substr(0, field.value.find('?'));
    }
    requests_.push_back(std::move(request));
}

void H2Connection::take_data(const h2::Frame& frame) {
    Stream& stream = streams_[frame.stream_id];
    stream.uncredited_bytes += static_cast<uint32_t>(frame.payload.size());
    if (frame.has(h2::kEndStream)) stream.has_ended = true;
    if (stream.is_read) credit(frame.stream_id, stream);
}

void H2Connection::credit(uint32_t stream_id, Stream& stream) {
    if (stream.uncredited_bytes == 0) return;
    std::string updates = h2::window_update(0, stream.uncredited_bytes);
    if (!stream.has_ended) updates += h2::window_update(stream_id, stream.uncredited_bytes);
    stream.uncredited_bytes = 0;
    send(updates);
}

void H2Connection::take_window_update(const h2::Frame& frame) {
    if (frame.payload.size() < 4) return;
    const uint32_t increment = h2::read_u32(frame.payload);
    (frame.stream_id == 0 ? send_window_ : streams_[frame.stream_id].send_window) += increment;
}

bool H2Connection::send_data(uint32_t stream_id, std::string_view bytes, bool is_last) {
    do {
        const int64_t window = std::min(send_window_, streams_[stream_id].send_window);
        if (window <= 0 && !bytes.empty()) {
            if (!pump(kPatience) || is_reset(stream_id) || !is_alive()) return false;
            continue;
        }
        const size_t size = std::min(
            {bytes.size(), h2::kMaxFrameBytes, static_cast<size_t>(std::max<int64_t>(window, 0))});
        const bool ends = is_last && size == bytes.size();
        if (!send(
                h2::data(stream_id, bytes.substr(0, size), ends ? h2::kEndStream : h2::kNoFlags))) {
            return false;
        }
        bytes.remove_prefix(size);
        send_window_ -= static_cast<int64_t>(size);
        streams_[stream_id].send_window -= static_cast<int64_t>(size);
    } while (!bytes.empty());
    return true;
}

bool H2Connection::read_body(uint32_t stream_id) {
    Stream& stream = streams_[stream_id];  // a map's elements stay where they are
    stream.is_read = true;
    credit(stream_id, stream);
    while (!stream.has_ended) {
        if (!pump(kPatience) || stream.is_reset || !is_alive()) return false;
    }
    return true;
}

void H2Connection::drop_body(uint32_t stream_id) {
    Stream& stream = streams_[stream_id];
    stream.is_read = true;
    stream.has_ended = true;
    credit(stream_id, stream);
}

bool H2Connection::is_reset(uint32_t stream_id) const {
    const auto found = streams_.find(stream_id);
    return found != streams_.end() && found->second.is_reset;
}

bool H2Connection::is_alive() const {
    return !is_broken_ && !is_leaving_ && connection_.is_open() && !connection_.has_ended();
}

}  // namespace edgecase::lab
