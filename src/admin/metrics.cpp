#include "admin/metrics.hpp"

#include <fmt/format.h>

namespace edgecase::admin {
namespace {

std::string escaped(std::string_view value) {
    std::string text;
    for (const char c : value) {
        if (c == '\\' || c == '"') text += '\\';
        if (c == '\n') {
            text += "\\n";
        } else {
            text += c;
        }
    }
    return text;
}

std::string_view name_of(Metric::Type type) {
    switch (type) {
        case Metric::Type::counter:
            return " counter\n";
        case Metric::Type::gauge:
            return " gauge\n";
        case Metric::Type::histogram:
            return " histogram\n";
    }
    return " untyped\n";
}

}  // namespace

std::string metrics_text(const std::vector<Metric>& metrics) {
    std::string text;
    for (const Metric& metric : metrics) {
        text += "# HELP " + metric.name + " " + metric.help + "\n";
        text.append("# TYPE ").append(metric.name).append(name_of(metric.type));
        for (const Sample& sample : metric.samples) {
            text += metric.name + sample.suffix;
            if (!sample.labels.empty()) {
                text += "{";
                for (const auto& [name, value] : sample.labels) {
                    if (!text.ends_with('{')) text += ",";
                    text += name + "=\"" + escaped(value) + "\"";
                }
                text += "}";
            }
            text += " ";
            text += sample.fraction ? fmt::format("{:.6f}", *sample.fraction)
                                    : std::to_string(sample.value);
            text += "\n";
        }
    }
    return text;
}

}  // namespace edgecase::admin
