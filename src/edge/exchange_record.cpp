// The record of an exchange: completed in one place, on every path.
#include <algorithm>

#include "edge/exchange.hpp"
#include "mux/connection.hpp"

namespace edgecase::edge {

using cause::Cause;
using cause::Failure;

void Exchange::complete() {
    completed_ = true;
    record_.duration_us = base::microseconds(worker_.loop().clock().now() - started_);
    record_.colo = worker_.settings().colo;
    record_.scheme = session_.is_tls() ? "https" : "http";
    if (const Transport* const transport = session_.transport()) {
        record_.tls_version = transport->tls_version;
        record_.tls_cipher = transport->tls_cipher;
        record_.sni = transport->sni;
    }
    record_.client = session_.address();
    record_.edge = worker_.listen_address();
    record_.request_body_bytes = body_.bytes;
    record_.request_bytes += head_bytes_ + body_.wire_bytes;
    record_.response_bytes = response_bytes();
    Counters& counters = worker_.counters();
    counters.requests.add();
    counters.add_duration(record_.duration_us);
    counters.response_bytes.add(record_.response_bytes);
    const size_t answered = record_.edge_status == 499 ? 0 : record_.edge_status / 100;
    counters.responses_by_class[std::min<size_t>(answered, 5)].add();
    counters.by_cause[static_cast<size_t>(record_.cause) % Counters::kCauses].add();
    worker_.sink().write(record_);

    // What came behind this request stays for the next one.
    buffers_.client_in.consume(
        std::min(buffers_.client_in.size(), head_bytes_ + body_in_head_buffer_));
    if (!buffers_.client_next.empty()) {
        buffers_.client_in.append(buffers_.client_next.view());
        buffers_.client_next.clear();
    }
    buffers_.clear();
}

/// First cause wins; what follows is only its trail. An origin's own 5xx is no cause that could
/// hide a failure of the transport behind it.
void Exchange::note(const Failure& failure) {
    if (record_.cause != Cause::none && record_.cause != Cause::origin_status) return;
    record_.cause = failure.cause();
    record_.evidence = failure.evidence();
}

void Exchange::note_headers() {
    const http::ResponseHeadView& head = buffers_.response_head.head();
    if (const auto* type = http::find(head.fields, http::FieldName::content_type)) {
        record_.content_type = type->value;
    }
    record_.response_header_bytes = static_cast<uint32_t>(response_head_bytes_);
    if (response_head_bytes_ < worker_.settings().limits.response_header_warn_bytes) return;
    record_.header_warning = true;
    record_.evidence.add("response_header_bytes", uint64_t{response_head_bytes_});
    record_.evidence.add("limit", worker_.settings().limits.response_header_bytes);
    record_.evidence.add("largest_fields",
                         buffers_.response_head.lines().largest_fields(buffers_.origin_in.view()));
}

uint64_t Exchange::response_bytes() const {
    return session_.client().bytes_written() - written_before_;
}

Failure Exchange::shutdown_failure() const {
    cause::Evidence evidence;
    evidence.add("drain_limit_ms", worker_.settings().timeouts.drain.count());
    return {Cause::edge_shutdown, std::move(evidence)};
}

Failure Exchange::client_gone(ClientPhase phase) const {
    const mux::Trouble trouble = mux::trouble_of(session_.client());
    if (trouble.kind == mux::Trouble::Kind::fault && is_bad_message(trouble.fault)) {
        return client_http2_failure(trouble);
    }
    // An HTTP/2 connection that stopped reading is taken down as a whole.
    if (trouble.kind == mux::Trouble::Kind::write_timeout) {
        return client_slow_reader(response_bytes(), worker_.settings().timeouts.client_write);
    }
    if (upload_ && upload_->error()) {
        return client_left(phase, &*upload_->error(), body_.bytes, response_bytes());
    }
    // Seen by the watch alone, without a read: RST hangs up both ways, or resets the stream.
    constexpr net::Error kReset{net::ErrorKind::reset};
    const bool reset = session_.client().descriptor().hung_up ||
                       trouble.kind == mux::Trouble::Kind::fault ||
                       trouble.kind == mux::Trouble::Kind::rst;
    return client_left(phase, reset ? &kReset : nullptr, body_.bytes, response_bytes());
}

bool Exchange::client_stays() const {
    return keep_alive_ && !worker_.draining();
}

}  // namespace edgecase::edge
