#include "allowlist/cloud_rules.hpp"

#include <charconv>

namespace edgecase::allowlist {

using nlohmann::json;

std::expected<json, ReadError> parse_cloud_json(const Source& source) {
    json document = json::parse(source.text, nullptr, false);
    if (!document.is_discarded()) return document;
    try {
        (void)json::parse(source.text);
    } catch (const json::parse_error& error) {
        return std::unexpected(
            error_at(source, error.byte > 0 ? error.byte - 1 : 0, "this is no JSON"));
    }
    return std::unexpected(ReadError{source.name, 1, 1, "this is no JSON"});
}

std::string text_at(const json& object, const char* key) {
    if (!object.is_object()) return {};
    const auto found = object.find(key);
    if (found == object.end()) return {};
    if (found->is_string()) return found->get<std::string>();
    return found->is_number_integer() ? std::to_string(found->get<int64_t>()) : std::string();
}

std::optional<int64_t> number_at(const json& object, const char* key) {
    const std::string text = text_at(object, key);
    int64_t number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || rest != text.data() + text.size())
        return std::nullopt;
    return number;
}

bool is_true_at(const json& object, const char* key) {
    if (!object.is_object()) return false;
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

const json& array_at(const json& object, const char* key) {
    static const json kNone = json::array();
    if (!object.is_object()) return kNone;
    const auto found = object.find(key);
    return found != object.end() && found->is_array() ? *found : kNone;
}

std::vector<std::string> strings_at(const json& object, const char* one, const char* many) {
    std::vector<std::string> texts;
    if (std::string text = text_at(object, one); !text.empty()) texts.push_back(std::move(text));
    for (const json& element : array_at(object, many)) {
        if (element.is_string()) texts.push_back(element.get<std::string>());
    }
    return texts;
}

std::vector<AddressRange> ranges_among(const std::vector<std::string>& texts,
                                       std::vector<std::string>& others) {
    std::vector<AddressRange> ranges;
    for (const std::string& text : texts) {
        if (const auto range = AddressRange::parse(text)) {
            ranges.push_back(*range);
        } else {
            others.push_back(text);
        }
    }
    return ranges;
}

}  // namespace edgecase::allowlist
