#include "h2/session.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/byte_buffer.hpp"
#include "base/clock.hpp"
#include "h2/connection.hpp"
#include "h2/fault.hpp"
#include "h2/frame_log.hpp"
#include "h2/stream_table.hpp"
#include "h2/text_limits.hpp"

namespace edgecase::h2 {
namespace {

constexpr uint32_t kStreamLimitBeforeSettings = 100;
// The library's own guards have worse names than ours, and must not speak first.
constexpr size_t kNoMatter = size_t{1} << 24;
constexpr size_t kMaxPendingAcks = 4096;  // a client we cannot write to, which still asks

Connection& impl_of(void* user_data) {
    return *static_cast<Connection*>(user_data);
}

std::string_view text_of(const uint8_t* bytes, size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

int begin_headers(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* impl) {
    impl_of(impl).on_begin_headers(static_cast<uint32_t>(frame->hd.stream_id));
    return 0;
}

int header(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/, const uint8_t* name,
           size_t name_size, const uint8_t* value, size_t value_size, uint8_t /*flags*/,
           void* impl) {
    impl_of(impl).on_header(text_of(name, name_size), text_of(value, value_size));
    return 0;
}

int frame_received(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* impl) {
    impl_of(impl).on_frame(*frame);
    return 0;
}

int invalid_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame, int error, void* impl) {
    impl_of(impl).on_invalid_frame(*frame, error);
    return 0;
}

int data_chunk(nghttp2_session* /*session*/, uint8_t /*flags*/, int32_t wire, const uint8_t* bytes,
               size_t size, void* impl) {
    impl_of(impl).on_data(static_cast<uint32_t>(wire), text_of(bytes, size));
    return 0;
}

int stream_close(nghttp2_session* /*session*/, int32_t wire, uint32_t error_code, void* impl) {
    impl_of(impl).on_stream_close(static_cast<uint32_t>(wire), error_code);
    return 0;
}

int frame_sent(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* impl) {
    impl_of(impl).on_sent(*frame);
    return 0;
}

int frame_not_sent(nghttp2_session* /*session*/, const nghttp2_frame* frame, int /*error*/,
                   void* impl) {
    impl_of(impl).on_not_sent(*frame);
    return 0;
}

int send_data(nghttp2_session* /*session*/, nghttp2_frame* frame, const uint8_t* frame_header,
              size_t size, nghttp2_data_source* /*source*/, void* impl) {
    constexpr size_t kHeaderBytes = 9;
    return impl_of(impl).on_send_data(static_cast<uint32_t>(frame->hd.stream_id),
                                      text_of(frame_header, kHeaderBytes), size);
}

/// Running out of memory is the only way these fail.
void require(int result) {
    if (result != 0) throw std::bad_alloc();
}

nghttp2_session* new_session(Role role, void* impl) {
    nghttp2_session_callbacks* made = nullptr;
    require(nghttp2_session_callbacks_new(&made));
    const std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)>
        callbacks(made, nghttp2_session_callbacks_del);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, frame_received);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(made, frame_not_sent);
    nghttp2_session_callbacks_set_send_data_callback(made, send_data);

    nghttp2_option* made_options = nullptr;
    require(nghttp2_option_new(&made_options));
    const std::unique_ptr<nghttp2_option, decltype(&nghttp2_option_del)> options(
        made_options, nghttp2_option_del);
    nghttp2_option_set_no_auto_window_update(made_options, 1);
    nghttp2_option_set_no_http_messaging(made_options, 1);
    nghttp2_option_set_no_closed_streams(made_options, 1);
    nghttp2_option_set_max_settings(made_options, kNoMatter);
    nghttp2_option_set_max_continuations(made_options, kNoMatter);
    nghttp2_option_set_stream_reset_rate_limit(made_options, kNoMatter, kNoMatter);
    nghttp2_option_set_max_outbound_ack(made_options, kMaxPendingAcks);

    nghttp2_session* session = nullptr;
    require(role == Role::client ? nghttp2_session_client_new2(&session, made, impl, made_options)
                                 : nghttp2_session_server_new2(&session, made, impl, made_options));
    return session;
}

}  // namespace

Connection::Connection(Role role, const Limits& limits, Events& events)
    : role_(role), limits_(limits), events_(events), session_(new_session(role, this)) {
    const std::array<nghttp2_settings_entry, 3> settings = {{
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window_bytes},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.header_list_bytes},
        role == Role::client ? nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}
                             : nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                                      limits.concurrent_streams},
    }};
    require(nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(),
                                    settings.size()));
    nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0,
                                          static_cast<int32_t>(limits.connection_window_bytes));
}

Stream* Connection::by_wire(uint32_t wire) const {
    return static_cast<Stream*>(
        nghttp2_session_get_stream_user_data(session_.get(), static_cast<int32_t>(wire)));
}

void Connection::fail_stream(Stream& stream, Fault fault, bool by_them) {
    if (stream.fault) return;
    if (fault.stream_id == 0) fault.stream_id = stream.wire;
    // A connection's end is told once per stream, by settle().
    const uint32_t error_code = fault.error_code;
    fault.is_connection = false;
    stream.fault = std::move(fault);
    stream.payload.clear();
    stream.head_text.clear();
    if (!by_them) {
        if (stream.wire_open) reset_wire(stream, error_code);
        count_reset();
    }
    if (!stream.detached) events_.on_closed(stream.id);
}

void Connection::break_connection(Rule rule, uint32_t error_code, uint32_t wire,
                                  std::string detail) {
    if (pending_ || fault_) return;
    pending_ = make_fault(rule, error_code, std::move(detail));
    pending_->stream_id = wire;
    pending_->is_connection = true;
}

void Connection::settle() {
    if (!pending_ || fault_) return;
    fault_ = std::move(pending_);
    pending_.reset();
    if (!pending_by_them_) nghttp2_session_terminate_session(session_.get(), fault_->error_code);
    streams_.for_each([&](Stream& stream) {
        const bool whole = role_ == Role::client ? stream.ended : stream.sent_whole;
        if (stream.fault || (whole && stream.ended)) return;
        stream.fault = fault_;
        stream.payload.clear();
        events_.on_closed(stream.id);
    });
}

/// Streams a client lets us open and end again at once cost us more than it: by RST_STREAM, or by
/// making us send one.
void Connection::count_reset() {
    if (role_ == Role::client || resets_.add(now_, limits_.resets_per_second)) return;
    break_connection(
        Rule::rapid_reset, NGHTTP2_ENHANCE_YOUR_CALM, 0,
        "more than " + std::to_string(limits_.resets_per_second) + " streams reset a second");
}

void Connection::reset_wire(Stream& stream, uint32_t error_code) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, static_cast<int32_t>(stream.wire),
                              error_code);
    reset_by_us_.add(stream.wire);
}

void Connection::uncount(Stream& stream) {
    if (!stream.counted) return;
    stream.counted = false;
    --active_;
}

void Connection::close(Stream& stream, uint32_t error_code) {
    nghttp2_session* const session = session_.get();
    const auto wire = static_cast<int32_t>(stream.wire);
    if (role_ == Role::server && stream.held > 0) {
        nghttp2_session_consume_connection(session, stream.held);
    }
    streams_.erase(stream.id);
    const bool alive = stream.wire_open && !stream.fault && !fault_;
    if (alive && role_ == Role::server && stream.payload_whole && !stream.sent_whole) {
        // The response is whole here, if not on the wire: the rest goes without its user.
        if (stream.held > 0) nghttp2_session_consume_stream(session, wire, stream.held);
        stream.held = 0;
        stream.detached = true;
        stream.reset_when_sent = !stream.ended;
        return;
    }
    if (alive && !(stream.ended && stream.sent_whole)) {
        const bool response_whole = role_ == Role::client ? stream.ended : stream.sent_whole;
        reset_wire(stream, response_whole ? NGHTTP2_NO_ERROR : error_code);
    }
    if (stream.wire_open) nghttp2_session_set_stream_user_data(session, wire, nullptr);
    uncount(stream);
    release(stream);
}

void Connection::release(Stream& stream) {
    streams_.give_back(stream);
}

// ---- the public face ----

struct Session::Impl : Connection {
    using Connection::Connection;
};

Session::Session(Role role, const Limits& limits, Events& events)
    : impl_(std::make_unique<Impl>(role, limits, events)) {}

Session::~Session() = default;

bool Session::receive(std::string_view bytes, base::SteadyTime now) {
    if (!impl_->fault_) impl_->receive(bytes, now);
    return !impl_->fault_;
}

bool Session::produce(base::ByteBuffer& out, size_t maximum_bytes) {
    return impl_->produce(out, maximum_bytes);
}

bool Session::wants_to_write() const {
    return !impl_->last_goaway_sent_ && nghttp2_session_want_write(impl_->session_.get()) != 0;
}

bool Session::can_open() const {
    const Connection& impl = *impl_;
    if (impl.role_ != Role::client || impl.fault_ || impl.goaway_ || impl.shut_down_) return false;
    if (nghttp2_session_check_request_allowed(impl.session_.get()) == 0) return false;
    return impl.active_ < std::min(peer_stream_limit(), impl.limits_.concurrent_streams);
}

std::optional<uint32_t> Session::open() {
    if (!can_open()) return std::nullopt;
    Stream& stream = impl_->streams_.take();
    stream.id = impl_->next_id_;
    impl_->next_id_ += 2;
    stream.counted = true;
    ++impl_->active_;
    stream.request_head.reset(kOwnText);
    impl_->streams_.insert(stream);
    return stream.id;
}

size_t Session::write(uint32_t stream_id, std::string_view text) {
    Stream* const stream = impl_->streams_.find(stream_id);
    return stream == nullptr ? text.size() : impl_->write(*stream, text);
}

std::string_view Session::readable(uint32_t stream_id) const {
    Stream* const stream = impl_->streams_.find(stream_id);
    if (stream == nullptr) return {};
    stream->shown = stream->text_base + stream->text.size();
    return stream->text.view();
}

void Session::consume(uint32_t stream_id, size_t bytes) {
    Stream* const stream = impl_->streams_.find(stream_id);
    if (stream == nullptr) return;
    const size_t taken = std::min(bytes, stream->text.size());
    stream->text.consume(taken);
    stream->text_base += taken;
    stream->shown = std::max(stream->shown, stream->text_base);
    // The text holds heads and chunk lines too; no more of it can be body than there is text.
    const uint64_t still_held = std::min<uint64_t>(stream->held, stream->text.size());
    const size_t given_back = static_cast<size_t>(stream->held - still_held);
    if (given_back == 0) return;
    stream->held = still_held;
    nghttp2_session* const session = impl_->session_.get();
    if (impl_->role_ == Role::server) nghttp2_session_consume_connection(session, given_back);
    if (!stream->wire_open) return;
    nghttp2_session_consume_stream(session, static_cast<int32_t>(stream->wire), given_back);
}

bool Session::ended(uint32_t stream_id) const {
    const Stream* const stream = impl_->streams_.find(stream_id);
    return stream != nullptr && stream->ended;
}

bool Session::sent_whole(uint32_t stream_id) const {
    const Stream* const stream = impl_->streams_.find(stream_id);
    return stream != nullptr && stream->sent_whole;
}

const Fault* Session::stream_fault(uint32_t stream_id) const {
    const Stream* const stream = impl_->streams_.find(stream_id);
    return stream != nullptr && stream->fault ? &*stream->fault : nullptr;
}

void Session::close(uint32_t stream_id, uint32_t error_code) {
    if (Stream* const stream = impl_->streams_.find(stream_id)) impl_->close(*stream, error_code);
}

void Session::send_ping() {
    nghttp2_submit_ping(impl_->session_.get(), NGHTTP2_FLAG_NONE, nullptr);
}

void Session::shut_down() {
    if (impl_->shut_down_ || impl_->fault_) return;
    impl_->shut_down_ = true;
    nghttp2_session* const session = impl_->session_.get();
    nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR,
                          nullptr, 0);
}

const std::optional<Fault>& Session::fault() const {
    return impl_->fault_;
}
const std::optional<Fault>& Session::goaway() const {
    return impl_->goaway_;
}
bool Session::settings_received() const {
    return impl_->settings_received_;
}
bool Session::going_away() const {
    return impl_->goaway_ || impl_->shut_down_ || impl_->fault_;
}
size_t Session::open_streams() const {
    return impl_->streams_.size();
}
size_t Session::unfinished_streams() const {
    return impl_->streams_.taken();
}
const FrameLog& Session::frames() const {
    return impl_->frames_;
}

uint32_t Session::peer_stream_limit() const {
    if (!impl_->settings_received_) return kStreamLimitBeforeSettings;
    return nghttp2_session_get_remote_settings(impl_->session_.get(),
                                               NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

}  // namespace edgecase::h2
