#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "record/binary.hpp"
#include "record/binary_format.hpp"

namespace edgecase::record {
namespace {

using namespace binary;

// Upper bounds of the encoded size, texts and evidence not counted.
constexpr size_t kEndpointBytes = 1 + 16 + 2;
constexpr size_t kRecordFixedBytes = kFrameHeadBytes + 3 * 8 + 16 * kMaximumVarintBytes +
                                     11 * kMaximumVarintBytes + 2 * kEndpointBytes + 8;
constexpr size_t kAttemptFixedBytes = 21 * kMaximumVarintBytes + 2 * kEndpointBytes + 8;

size_t text_bytes(std::string_view text) {
    return kMaximumVarintBytes + std::min(text.size(), kMaximumTextBytes);
}

size_t value_bytes(const cause::EvidenceValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return text_bytes(*text);
    if (const auto* sample = std::get_if<base::Sample>(&value)) {
        return text_bytes(sample->bytes) + text_bytes(sample->field) + 2 * kMaximumVarintBytes;
    }
    size_t bytes = kMaximumVarintBytes;
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
        for (const std::string& text : *list) bytes += text_bytes(text);
    }
    return bytes;
}

size_t evidence_bytes(const cause::Evidence& evidence) {
    size_t bytes = kMaximumVarintBytes;
    for (const auto& [key, value] : evidence.items()) {
        bytes += text_bytes(key) + 1 + value_bytes(value);
    }
    return bytes;
}

uint8_t tail_flags(const Attempt& attempt) {
    return static_cast<uint8_t>(
        (attempt.tls_us != -1 || attempt.tls_version != 0 ? kTls : 0) |
        (attempt.tls_resumed ? kTlsResumed : 0) | (attempt.http2 ? kHttp2 : 0) |
        (attempt.downgraded ? kDowngraded : 0) | (attempt.stream_id != 0 ? kStream : 0) |
        (attempt.outrun ? kOutrun : 0) | (attempt.dns_stale != cause::Cause::none ? kDnsStale : 0));
}

template <typename Text>
uint8_t tail_flags(const BasicRecord<Text>& record, std::span<const Attempt> attempts) {
    uint8_t flags = 0;
    if (record.tls_version != 0 || !record.tls_cipher.empty()) flags |= kClientTls;
    if (!record.sni.empty()) flags |= record.sni == record.host ? kSniIsHost : kSni;
    if (record.trace) flags |= kTrace;
    for (const Attempt& attempt : attempts) {
        if (tail_flags(attempt) != 0) flags |= kAttemptTails;
    }
    return flags;
}

/// Writes into bytes that were reserved beforehand, so it never checks.
class Writer {
  public:
    explicit Writer(char* begin) : at_(begin) {}

    void byte(uint8_t value) { *at_++ = static_cast<char>(value); }
    void raw(const void* bytes, size_t size) {
        if (size == 0) return;
        std::memcpy(at_, bytes, size);
        at_ += size;
    }
    template <typename Number>
    void fixed(Number value) {
        static_assert(std::endian::native == std::endian::little);
        raw(&value, sizeof(value));
    }
    void varint(uint64_t value) {
        while (value >= 0x80) {
            byte(static_cast<uint8_t>(value | 0x80));
            value >>= 7;
        }
        byte(static_cast<uint8_t>(value));
    }
    void zigzag(int64_t value) {
        varint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
    }
    void text(std::string_view text) {
        text = text.substr(0, kMaximumTextBytes);
        varint(text.size());
        raw(text.data(), text.size());
    }
    void endpoint(const ip::Endpoint& endpoint) {
        if (endpoint == ip::Endpoint{}) return byte(static_cast<uint8_t>(EndpointKind::none));
        const bool v4 = endpoint.address.is_v4();
        byte(static_cast<uint8_t>(v4 ? EndpointKind::v4 : EndpointKind::v6));
        raw(endpoint.address.bytes().data(), v4 ? 4 : 16);
        fixed(endpoint.port);
    }
    void value(const cause::EvidenceValue& value) {
        byte(static_cast<uint8_t>(value.index()));
        if (const auto* number = std::get_if<int64_t>(&value)) return zigzag(*number);
        if (const auto* flag = std::get_if<bool>(&value)) return byte(*flag ? 1 : 0);
        if (const auto* single = std::get_if<std::string>(&value)) return text(*single);
        if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
            const size_t count = std::min(list->size(), kMaximumListItems);
            varint(count);
            for (size_t i = 0; i < count; ++i) text((*list)[i]);
            return;
        }
        const auto& sample = std::get<base::Sample>(value);
        text(sample.bytes);
        varint(sample.first_offset);
        varint(sample.error_offset);
        text(sample.field);
    }
    void evidence(const cause::Evidence& evidence) {
        const size_t count = std::min(evidence.items().size(), kMaximumEvidenceItems);
        varint(count);
        for (size_t i = 0; i < count; ++i) {
            text(evidence.items()[i].first);
            value(evidence.items()[i].second);
        }
    }
    void attempt(const Attempt& attempt) {
        varint(static_cast<uint16_t>(attempt.cause));
        endpoint(attempt.origin);
        endpoint(attempt.edge);
        varint(attempt.connection_id);
        byte(static_cast<uint8_t>((attempt.reused ? kReused : 0) |
                                  (attempt.retried ? kRetried : 0)));
        byte(static_cast<uint8_t>(attempt.close));
        zigzag(attempt.idle_us);
        varint(attempt.nth_request);
        for (const int64_t duration :
             {attempt.dns_us, attempt.connect_us, attempt.send_us, attempt.first_byte_us,
              attempt.header_us, attempt.total_us}) {
            zigzag(duration);
        }
        varint(attempt.bytes_sent);
        varint(attempt.bytes_received);
        varint(attempt.header_bytes);
        varint(attempt.status);
        evidence(attempt.evidence);
    }
    void attempt_tail(const Attempt& attempt) {
        const uint8_t flags = tail_flags(attempt);
        byte(flags);
        if ((flags & kTls) != 0) {
            zigzag(attempt.tls_us);
            varint(attempt.tls_version);
        }
        if ((flags & kStream) != 0) varint(attempt.stream_id);
        if ((flags & kDnsStale) != 0) varint(static_cast<uint16_t>(attempt.dns_stale));
    }
    /// What TLS, HTTP/2 and a trace add, nothing otherwise.
    template <typename Text>
    void tail(const BasicRecord<Text>& record, std::span<const Attempt> attempts) {
        const uint8_t flags = tail_flags(record, attempts);
        if (flags == 0) return;
        byte(flags);
        if ((flags & kClientTls) != 0) {
            varint(record.tls_version);
            text(record.tls_cipher);
        }
        if ((flags & kSni) != 0) text(record.sni);
        if ((flags & kAttemptTails) != 0) {
            for (const Attempt& attempt : attempts) attempt_tail(attempt);
        }
        if ((flags & kTrace) == 0) return;
        for (const uint64_t part : {record.trace.high, record.trace.low, record.trace.parent_span})
            fixed(part);
    }

    char* at() const { return at_; }

  private:
    char* at_;
};

template <typename Text>
void encode_any(base::ByteBuffer& out, const BasicRecord<Text>& record) {
    size_t bound = kRecordFixedBytes + evidence_bytes(record.evidence);
    for (const std::string_view text :
         {std::string_view(record.colo), std::string_view(record.scheme),
          std::string_view(record.protocol), std::string_view(record.method),
          std::string_view(record.host), std::string_view(record.uri),
          std::string_view(record.user_agent), std::string_view(record.referer),
          std::string_view(record.origin_url), std::string_view(record.content_type),
          std::string_view(record.tls_cipher), std::string_view(record.sni)}) {
        bound += text_bytes(text);
    }
    for (const Attempt& attempt : record.attempts) {
        bound += kAttemptFixedBytes + evidence_bytes(attempt.evidence);
    }
    char* const begin = out.reserve_free(bound).data();

    Writer writer(begin + kSizeBytes);
    writer.byte(kVersion);
    writer.fixed(record.ray.value());
    writer.fixed(record.parent.value());
    writer.zigzag(record.start.time_since_epoch().count());
    writer.zigzag(record.duration_us);
    writer.zigzag(record.first_byte_us);
    writer.endpoint(record.client);
    writer.endpoint(record.edge);
    writer.text(record.colo);
    writer.text(record.scheme);
    writer.text(record.protocol);
    writer.text(record.method);
    writer.text(record.host);
    writer.text(record.uri);
    writer.text(record.user_agent);
    writer.text(record.referer);
    writer.text(record.origin_url);
    writer.varint(record.request_bytes);
    writer.varint(record.request_body_bytes);
    writer.varint(record.response_bytes);
    writer.varint(record.response_body_bytes);
    writer.varint(record.edge_status);
    writer.varint(record.origin_status);
    writer.text(record.content_type);
    writer.varint(static_cast<uint16_t>(record.cause));
    writer.byte(static_cast<uint8_t>((record.aborted ? kAborted : 0) |
                                     (record.header_warning ? kHeaderWarning : 0)));
    writer.varint(record.response_header_bytes);
    const std::span<const Attempt> attempts(record.attempts.data(),
                                            std::min(record.attempts.size(), kMaximumAttempts));
    writer.varint(attempts.size());
    for (const Attempt& attempt : attempts) writer.attempt(attempt);
    writer.evidence(record.evidence);
    writer.tail(record, attempts);

    const auto size = static_cast<uint32_t>(writer.at() - (begin + kSizeBytes));
    std::memcpy(begin, &size, sizeof(size));
    out.commit(kSizeBytes + size);
}

}  // namespace

void encode(base::ByteBuffer& out, const RecordView& record) {
    encode_any(out, record);
}
void encode(base::ByteBuffer& out, const Record& record) {
    encode_any(out, record);
}

}  // namespace edgecase::record
