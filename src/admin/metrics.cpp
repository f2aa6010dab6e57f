#include "admin/metrics.hpp"

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

}  // namespace

std::string metrics_text(const std::vector<Metric>& metrics) {
    std::string text;
    for (const Metric& metric : metrics) {
        text += "# HELP " + metric.name + " " + metric.help + "\n";
        text += "# TYPE " + metric.name +
                (metric.type == Metric::Type::counter ? " counter\n" : " gauge\n");
        for (const Sample& sample : metric.samples) {
            text += metric.name;
            if (!sample.labels.empty()) {
                text += "{";
                for (const auto& [name, value] : sample.labels) {
                    if (!text.ends_with('{')) text += ",";
                    text += name + "=\"" + escaped(value) + "\"";
                }
                text += "}";
            }
            text += " " + std::to_string(sample.value) + "\n";
        }
    }
    return text;
}

}  // namespace edgecase::admin
