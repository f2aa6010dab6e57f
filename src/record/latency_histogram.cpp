#include "record/latency_histogram.hpp"

#include <cmath>

namespace edgecase::record {
namespace {

void put(std::string& out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

/// Takes a varint from the front of `bytes`. Errors: nullopt.
std::optional<uint64_t> take(std::string_view& bytes) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
        const auto byte = static_cast<uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        value |= uint64_t{byte & 0x7fU} << shift;
        if ((byte & 0x80) == 0) return value;
    }
    return std::nullopt;
}

}  // namespace

void LatencyHistogram::merge(const LatencyHistogram& other) {
    for (size_t i = 0; i < kSize; ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    maximum_us_ = std::max(maximum_us_, other.maximum_us_);
}

int64_t LatencyHistogram::middle_of(size_t index) {
    const size_t shift = index < kSteps ? 0 : (index >> kStepBits) - 1;
    const uint64_t low = (index - (shift << kStepBits)) << shift;
    return static_cast<int64_t>(low + ((uint64_t{1} << shift) >> 1));
}

std::optional<int64_t> LatencyHistogram::percentile_us(double share) const {
    if (total_ == 0) return std::nullopt;
    const auto wanted = std::max<uint64_t>(
        1, static_cast<uint64_t>(std::ceil(share * static_cast<double>(total_))));
    uint64_t seen = 0;
    for (size_t i = 0; i < kSize; ++i) {
        seen += counts_[i];
        if (seen >= wanted) return std::min(middle_of(i), maximum_us_);
    }
    return maximum_us_;
}

std::string LatencyHistogram::encode() const {
    Encoded encoded{.maximum_us = maximum_us_, .total = total_, .steps = {}};
    for (uint32_t i = 0; i < kSize; ++i) {
        if (counts_[i] != 0) encoded.steps.emplace_back(i, counts_[i]);
    }
    return encoded.write();
}

std::string LatencyHistogram::Encoded::write() const {
    std::string out;
    put(out, static_cast<uint64_t>(std::max<int64_t>(maximum_us, 0)));
    uint32_t last = 0;
    for (const auto& [step, count] : steps) {
        put(out, step - last);
        put(out, count);
        last = step;
    }
    return out;
}

bool LatencyHistogram::Encoded::read(std::string_view bytes) {
    maximum_us = 0;
    total = 0;
    steps.clear();
    const auto maximum = take(bytes);
    if (!maximum || *maximum > uint64_t{1} << 62) return false;
    maximum_us = static_cast<int64_t>(*maximum);
    uint64_t index = 0;
    while (!bytes.empty()) {
        const auto distance = take(bytes);
        const auto count = take(bytes);
        if (!distance || !count || *distance >= kSize || index + *distance >= kSize) return false;
        index += *distance;
        steps.emplace_back(static_cast<uint32_t>(index), *count);
        total += *count;
    }
    return true;
}

void LatencyHistogram::merge(const Encoded& encoded) {
    for (const auto& [index, count] : encoded.steps) counts_[index] += count;
    total_ += encoded.total;
    maximum_us_ = std::max(maximum_us_, encoded.maximum_us);
}

bool LatencyHistogram::merge_encoded(std::string_view bytes) {
    Encoded encoded;
    const bool whole = encoded.read(bytes);
    merge(encoded);
    return whole;
}

}  // namespace edgecase::record
