#include "record/rollup.hpp"

#include <utility>

#include "record/path_template.hpp"

namespace edgecase::record {
namespace {

std::string_view fitting(std::string_view label) {
    return label.size() > kMaximumLabelBytes ? kOtherLabel : label;
}

}  // namespace

RollupKeyView view_of(const RollupKey& key) {
    return {key.family, key.host, key.label, key.edge_status, key.origin_status, key.cause};
}

bool is_failure(cause::Cause cause) {
    return cause != cause::Cause::none && cause::row(cause).actor != cause::Actor::client;
}

void RollupCounts::merge(const RollupCounts& other) {
    requests += other.requests;
    failures += other.failures;
    bytes_in += other.bytes_in;
    bytes_out += other.bytes_out;
    latency.merge(other.latency);
}

size_t RollupHash::operator()(const RollupKeyView& key) const {
    const std::hash<std::string_view> hash;
    const auto numbers = (size_t{key.edge_status} << 32) ^ (size_t{key.origin_status} << 16) ^
                         (size_t{static_cast<uint16_t>(key.cause)} << 1) ^
                         static_cast<size_t>(key.family);
    return hash(key.host) ^ (hash(key.label) * 31) ^ (numbers * 0x9e3779b97f4a7c15U);
}

void RollupTable::add(const RecordView& record) {
    const bool failed = is_failure(record.cause);
    const int64_t latency = record.first_byte_us >= 0 ? record.first_byte_us : record.duration_us;
    const auto count = [&](RollupCounts& counts) {
        ++counts.requests;
        counts.failures += failed ? 1 : 0;
        counts.bytes_in += record.request_bytes;
        counts.bytes_out += record.response_bytes;
        counts.latency.add(latency);
    };
    const std::string_view host = fitting(record.host);
    count(counts_of({.family = RollupFamily::origin,
                     .host = host,
                     .label = fitting(record.origin_url),
                     .edge_status = record.edge_status,
                     .origin_status = record.origin_status,
                     .cause = record.cause},
                    last_origin_));
    path_template(record.uri, path_);
    count(counts_of({.family = RollupFamily::path, .host = host, .label = fitting(path_)},
                    last_path_));
}

RollupCounts& RollupTable::counts_of(const RollupKeyView& key, Map::value_type*& last) {
    if (last != nullptr && view_of(last->first) == key) return last->second;
    auto found = kinds_.find(key);
    if (found == kinds_.end()) {
        RollupKeyView wanted = key;
        if (kinds_.size() >= kMaximumKinds) wanted.host = wanted.label = kOtherLabel;
        found = kinds_
                    .try_emplace(RollupKey{wanted.family, std::string(wanted.host),
                                           std::string(wanted.label), wanted.edge_status,
                                           wanted.origin_status, wanted.cause})
                    .first;
    }
    last = &*found;
    return found->second;
}

void RollupTable::merge(const RollupTable& other) {
    Map::value_type* last = nullptr;
    for (const auto& [key, counts] : other.kinds_) counts_of(view_of(key), last).merge(counts);
}

void RollupTable::clear() {
    kinds_.clear();
    last_origin_ = last_path_ = nullptr;
}

int64_t minute_of(const RecordView& record) {
    using std::chrono::microseconds;
    const auto end = record.start.time_since_epoch() + microseconds(record.duration_us);
    return std::chrono::floor<std::chrono::minutes>(end).count();
}

}  // namespace edgecase::record
