// Owns the text form of metrics that Prometheus reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edgecase::admin {

struct Sample {
    std::vector<std::pair<std::string, std::string>> labels;
    uint64_t value = 0;
    std::string suffix{};              // `_bucket`, `_sum` or `_count` of a histogram
    std::optional<double> fraction{};  // instead of `value`
};

struct Metric {
    enum class Type : uint8_t { counter, gauge, histogram };
    std::string name;  // with `_total` for counters
    std::string help;
    Type type = Type::counter;
    std::vector<Sample> samples;
};

/// Source: the Prometheus text exposition format, version 0.0.4.
std::string metrics_text(const std::vector<Metric>& metrics);

}  // namespace edgecase::admin
