#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "record/binary.hpp"
#include "record/binary_format.hpp"

namespace edgecase::record {
namespace {

using namespace binary;

/// Reads bytes nobody vouches for. After the first breach every value is empty and ok() is false.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    bool ok() const { return ok_; }
    bool at_end() const { return rest_.empty(); }
    uint8_t byte() {
        const std::string_view one = raw(1);
        return one.empty() ? uint8_t{0} : static_cast<uint8_t>(one.front());
    }
    std::string_view raw(size_t size) {
        if (!ok_ || size > rest_.size()) return fail();
        const std::string_view bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return bytes;
    }
    template <typename Number>
    Number fixed() {
        Number value{};
        const std::string_view bytes = raw(sizeof(value));
        if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(value));
        return value;
    }
    uint64_t varint() {
        uint64_t value = 0;
        for (size_t i = 0; i < kMaximumVarintBytes; ++i) {
            const uint8_t next = byte();
            value |= uint64_t{next & 0x7fu} << (7 * i);
            if (next < 0x80) return value;
        }
        fail();
        return 0;
    }
    template <typename Number>
    Number number() {
        const uint64_t value = varint();
        if (value > std::numeric_limits<Number>::max()) fail();
        return ok_ ? static_cast<Number>(value) : Number{};
    }
    int64_t zigzag() {
        const uint64_t value = varint();
        return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1));
    }
    std::string text() {
        const uint64_t size = varint();
        if (size > kMaximumTextBytes) fail();
        return std::string(raw(ok_ ? static_cast<size_t>(size) : 0));
    }
    size_t count(size_t maximum) {
        const uint64_t value = varint();
        if (value > maximum) fail();
        return ok_ ? static_cast<size_t>(value) : 0;
    }
    ip::Endpoint endpoint() {
        ip::Endpoint result;
        switch (static_cast<EndpointKind>(byte())) {
            case EndpointKind::none:
                return result;
            case EndpointKind::v4: {
                uint32_t host_order = 0;
                for (const char c : raw(4)) host_order = host_order << 8 | static_cast<uint8_t>(c);
                result.address = ip::Address::v4(host_order);
                break;
            }
            case EndpointKind::v6: {
                std::array<uint8_t, 16> bytes{};
                std::ranges::copy(raw(16), bytes.begin());
                result.address = ip::Address::v6(bytes);
                break;
            }
            default:
                fail();
                return result;
        }
        result.port = fixed<uint16_t>();
        return result;
    }
    void value(cause::Evidence& into, std::string_view key) {
        switch (byte()) {
            case 0:
                into.add(key, zigzag());
                return;
            case 1:
                into.add(key, byte() != 0);
                return;
            case 2:
                into.add(key, text());
                return;
            case 3: {
                std::vector<std::string> list;
                for (size_t left = count(kMaximumListItems); left > 0 && ok_; --left) {
                    list.push_back(text());
                }
                into.add(key, std::move(list));
                return;
            }
            case 4: {
                base::Sample sample;
                sample.bytes = text();
                sample.first_offset = varint();
                sample.error_offset = varint();
                sample.field = text();
                into.add(key, std::move(sample));
                return;
            }
            default:
                fail();
                return;
        }
    }
    cause::Evidence evidence() {
        cause::Evidence result;
        for (size_t left = count(kMaximumEvidenceItems); left > 0 && ok_; --left) {
            const std::string key = text();
            value(result, key);
        }
        return result;
    }
    Close close() {
        const uint8_t value = byte();
        if (value > static_cast<uint8_t>(Close::local)) fail();
        return ok_ ? static_cast<Close>(value) : Close::open;
    }
    Attempt attempt() {
        Attempt result;
        result.cause = static_cast<cause::Cause>(number<uint16_t>());
        result.origin = endpoint();
        result.edge = endpoint();
        result.connection_id = varint();
        const uint8_t flags = byte();
        result.reused = (flags & kReused) != 0;
        result.retried = (flags & kRetried) != 0;
        result.close = close();
        result.idle_us = zigzag();
        result.nth_request = number<uint32_t>();
        for (int64_t* duration : {&result.dns_us, &result.connect_us, &result.send_us,
                                  &result.first_byte_us, &result.header_us, &result.total_us}) {
            *duration = zigzag();
        }
        result.bytes_sent = varint();
        result.bytes_received = varint();
        result.header_bytes = number<uint32_t>();
        result.status = number<uint16_t>();
        result.evidence = evidence();
        return result;
    }
    void attempt_tail(Attempt& into) {
        const uint8_t flags = byte();
        if ((flags & kTls) != 0) {
            into.tls_us = zigzag();
            into.tls_version = number<uint16_t>();
        }
        into.tls_resumed = (flags & kTlsResumed) != 0;
        into.http2 = (flags & kHttp2) != 0;
        into.downgraded = (flags & kDowngraded) != 0;
        if ((flags & kStream) != 0) into.stream_id = number<uint32_t>();
        into.outrun = (flags & kOutrun) != 0;
        if ((flags & kDnsStale) != 0) {
            into.dns_stale = static_cast<cause::Cause>(number<uint16_t>());
        }
    }
    void tail(Record& into) {
        const uint8_t flags = byte();
        if ((flags & kClientTls) != 0) {
            into.tls_version = number<uint16_t>();
            into.tls_cipher = text();
        }
        if ((flags & kSni) != 0) into.sni = text();
        if ((flags & kSniIsHost) != 0) into.sni = into.host;
        if ((flags & kAttemptTails) != 0) {
            for (Attempt& attempt : into.attempts) attempt_tail(attempt);
        }
        if ((flags & kTrace) == 0) return;
        into.trace.high = fixed<uint64_t>();
        into.trace.low = fixed<uint64_t>();
        into.trace.parent_span = fixed<uint64_t>();
    }

  private:
    std::string_view fail() {
        ok_ = false;
        rest_ = {};
        return {};
    }

    std::string_view rest_;
    bool ok_ = true;
};

Record decode_fields(RayId ray, Reader& reader) {
    Record record;
    record.ray = ray;
    record.parent = RayId(reader.fixed<uint64_t>());
    record.start = base::WallTime(std::chrono::microseconds(reader.zigzag()));
    record.duration_us = reader.zigzag();
    record.first_byte_us = reader.zigzag();
    record.client = reader.endpoint();
    record.edge = reader.endpoint();
    record.colo = reader.text();
    record.scheme = reader.text();
    record.protocol = reader.text();
    record.method = reader.text();
    record.host = reader.text();
    record.uri = reader.text();
    record.user_agent = reader.text();
    record.referer = reader.text();
    record.origin_url = reader.text();
    record.request_bytes = reader.varint();
    record.request_body_bytes = reader.varint();
    record.response_bytes = reader.varint();
    record.response_body_bytes = reader.varint();
    record.edge_status = reader.number<uint16_t>();
    record.origin_status = reader.number<uint16_t>();
    record.content_type = reader.text();
    record.cause = static_cast<cause::Cause>(reader.number<uint16_t>());
    const uint8_t flags = reader.byte();
    record.aborted = (flags & kAborted) != 0;
    record.header_warning = (flags & kHeaderWarning) != 0;
    record.response_header_bytes = reader.number<uint32_t>();
    for (size_t left = reader.count(kMaximumAttempts); left > 0 && reader.ok(); --left) {
        record.attempts.push_back(reader.attempt());
    }
    record.evidence = reader.evidence();
    if (reader.ok() && !reader.at_end()) reader.tail(record);
    return record;
}

}  // namespace

std::string_view BlockReader::frame() const {
    if (rest_.size() < kFrameHeadBytes) return {};
    uint32_t size = 0;
    std::memcpy(&size, rest_.data(), sizeof(size));
    if (size < kFrameHeadBytes - kSizeBytes || size > rest_.size() - kSizeBytes) return {};
    return rest_.substr(0, kSizeBytes + size);
}

std::optional<RayId> BlockReader::peek() const {
    const std::string_view bytes = frame();
    if (bytes.empty()) return std::nullopt;
    uint64_t ray = 0;
    std::memcpy(&ray, bytes.data() + kSizeBytes + 1, sizeof(ray));
    return RayId(ray);
}

bool BlockReader::skip() {
    const size_t size = frame().size();
    rest_.remove_prefix(size);
    return size != 0;
}

std::expected<Record, std::string> BlockReader::next() {
    const auto ray = peek();
    if (!ray) {
        const bool at_end = rest_.empty();
        rest_ = {};
        return std::unexpected(at_end ? "there are no more records in the block"
                                      : "the block is damaged: a record's size is wrong");
    }
    const std::string_view bytes = frame();
    rest_.remove_prefix(bytes.size());
    const auto version = static_cast<uint8_t>(bytes[kSizeBytes]);
    if (version != kVersion) {
        return std::unexpected("record " + ray->to_string() + " has format version " +
                               std::to_string(version) + ", this program knows version " +
                               std::to_string(kVersion));
    }
    Reader reader(bytes.substr(kFrameHeadBytes));
    Record record = decode_fields(*ray, reader);
    if (!reader.ok()) return std::unexpected("record " + ray->to_string() + " is damaged");
    return record;
}

}  // namespace edgecase::record
