#include "logs/json_format.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>

#include "base/ascii.hpp"
#include "logs/line_source.hpp"
#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kLinePadding >= simdjson::SIMDJSON_PADDING);

constexpr size_t kMaximumDepth = 4;

std::optional<LogTime> any_time(std::string_view text) {
    if (text.empty()) return std::nullopt;
    if (text.find_first_not_of("0123456789.") == std::string_view::npos) return epoch_time(text);
    if (text.size() > 4 && text[4] == '-') return iso_time(text);
    return clf_time(text);
}

bool has_fraction(std::string_view text) {
    return text.find('.') != std::string_view::npos || text.find(',') != std::string_view::npos ||
           (text.size() > 10 && text.find_first_not_of("0123456789") == std::string_view::npos);
}

class JsonReader final : public AccessReader {
  public:
    explicit JsonReader(std::shared_ptr<const JsonMap> map)
        : shared_(std::move(map)), map_(*shared_) {
        for (const JsonField& field : map_.fields) {
            slots_.emplace(base::to_lower(field.name), &field);
            may_have_ray_ = may_have_ray_ || field.slot == Slot::ray;
        }
    }
    std::string_view format() const override { return map_.name; }
    bool may_have_ray() const override { return may_have_ray_; }

    Parsed read(std::string_view line, EntryView& into) override {
        line = base::trim(line);
        if (line.empty()) return Parsed::nothing;
        if (line.front() != '{') return Parsed::failed;
        path_.clear();
        into.moment = map_.moment;
        ondemand::document document;
        const simdjson::padded_string_view padded(line.data(), line.size(),
                                                  line.size() + simdjson::SIMDJSON_PADDING);
        if (parser_.iterate(padded).get(document) != simdjson::SUCCESS) return Parsed::failed;
        ondemand::object object;
        if (document.get_object().get(object) != simdjson::SUCCESS) return Parsed::failed;
        if (!walk(object, into, 0)) return Parsed::failed;
        if (into.time == kNoTime || into.status == 0) return Parsed::failed;
        return Parsed::entry;
    }

  private:
    bool walk(ondemand::object& object, EntryView& into, size_t depth) {
        for (auto each : object) {
            std::string_view key;
            ondemand::value value;
            if (each.unescaped_key().get(key) != simdjson::SUCCESS) return false;
            if (each.value().get(value) != simdjson::SUCCESS) return false;
            const size_t length = path_.size();
            if (!path_.empty()) path_ += '.';
            for (const char c : key.substr(0, 100)) path_ += base::lower(c);
            const bool well = visit(value, into, depth);
            path_.resize(length);
            if (!well) return false;
        }
        return true;
    }

    bool visit(ondemand::value& value, EntryView& into, size_t depth) {
        ondemand::json_type type{};
        if (value.type().get(type) != simdjson::SUCCESS) return false;
        if (type == ondemand::json_type::object) {
            ondemand::object inner;
            if (value.get_object().get(inner) != simdjson::SUCCESS) return false;
            return depth >= kMaximumDepth || walk(inner, into, depth + 1);
        }
        const JsonField* const field = find();
        if (field == nullptr) return true;
        if (type == ondemand::json_type::array) {
            // Header fields as Caddy has them: lists of values. The first one tells.
            ondemand::array list;
            if (value.get_array().get(list) != simdjson::SUCCESS) return false;
            for (auto element : list) {
                ondemand::value first;
                if (element.get(first) != simdjson::SUCCESS) return false;
                return take(first, *field, into);
            }
            return true;
        }
        return take(value, *field, into);
    }

    const JsonField* find() const {
        auto found = slots_.find(std::string_view(path_));
        if (found == slots_.end() && map_.by_last_part) {
            const size_t dot = path_.rfind('.');
            if (dot != std::string::npos)
                found = slots_.find(std::string_view(path_).substr(dot + 1));
        }
        return found == slots_.end() ? nullptr : found->second;
    }

    bool take(ondemand::value& value, const JsonField& field, EntryView& into) {
        ondemand::json_type type{};
        if (value.type().get(type) != simdjson::SUCCESS) return false;
        std::string_view text;
        if (type == ondemand::json_type::string) {
            if (value.get_string().get(text) != simdjson::SUCCESS) return false;
        } else if (type == ondemand::json_type::number) {
            text = base::trim(value.raw_json_token());
        } else {
            return true;
        }
        if (text == "-") return true;
        set(field, text, into);
        return true;
    }

    static void set_duration(const JsonField& field, std::string_view text, EntryView& into) {
        const std::string copy(text.substr(0, 32));
        char* end = nullptr;
        const double value = std::strtod(copy.c_str(), &end);
        if (end == copy.c_str() || value < 0 || value > 1e12) return;
        into.duration_us = static_cast<int64_t>(value * static_cast<double>(field.unit_ns) / 1000);
    }

    static void set(const JsonField& field, std::string_view text, EntryView& into) {
        const auto bounded = [&] {
            const int64_t number = number_of(text.substr(0, text.find('.')));
            return number < 0 || number > 999 ? uint16_t{0} : static_cast<uint16_t>(number);
        };
        switch (field.slot) {
            case Slot::time_clf:
            case Slot::time_iso:
            case Slot::time_epoch:
                if (const auto time = any_time(text); time && into.time == kNoTime) {
                    into.time = *time;
                    into.resolution_us = has_fraction(text) ? 1000 : 1'000'000;
                }
                break;
            case Slot::request:
                split_request(text, into);
                break;
            case Slot::method:
                into.method = text;
                break;
            case Slot::uri:
            case Slot::path:
            case Slot::query:
                if (into.uri.empty() || text.size() > into.uri.size()) into.uri = text;
                break;
            case Slot::host:
                into.host = text;
                break;
            case Slot::status:
                into.status = bounded();
                break;
            case Slot::upstream_status:
                into.upstream_status = bounded();
                break;
            case Slot::body_bytes:
                into.body_bytes = number_of(text);
                break;
            case Slot::response_bytes:
                into.response_bytes = number_of(text);
                break;
            case Slot::request_bytes:
                into.request_bytes = number_of(text);
                break;
            case Slot::duration_s:
            case Slot::duration_ms:
            case Slot::duration_us:
                set_duration(field, text, into);
                break;
            case Slot::client:
                into.client = text.substr(0, text.find_last_of(':') == text.find(':')
                                                 ? text.find(':')
                                                 : std::string_view::npos);
                break;
            case Slot::forwarded:
                if (into.forwarded.empty()) into.forwarded = first_address(text);
                break;
            case Slot::user_agent:
                into.user_agent = text;
                break;
            case Slot::referer:
                into.referer = text;
                break;
            case Slot::ray:
            case Slot::rest:
                into.ray = ray_of(text);
                break;
            case Slot::worker:
                into.worker = number_of(text);
                break;
            case Slot::reason:
                into.reason = text;
                break;
            case Slot::ignored:
                break;
        }
    }

    std::shared_ptr<const JsonMap> shared_;  // readers outlive their format
    const JsonMap& map_;
    std::map<std::string, const JsonField*, std::less<>> slots_;
    bool may_have_ray_ = false;
    std::string path_;
    // Its string buffer holds values with escapes, until the next line.
    ondemand::parser parser_{kMaximumLineBytes};
};

class JsonFormat final : public AccessFormat {
  public:
    explicit JsonFormat(JsonMap map) : map_(std::make_shared<const JsonMap>(std::move(map))) {}
    std::string_view name() const override { return map_->name; }
    std::unique_ptr<AccessReader> reader() const override {
        return std::make_unique<JsonReader>(map_);
    }
    bool moment_is_known() const override { return map_->moment_is_known; }

  private:
    std::shared_ptr<const JsonMap> map_;
};

}  // namespace

AccessFormatPtr json_format(JsonMap map) {
    return std::make_shared<JsonFormat>(std::move(map));
}

}  // namespace edgecase::logs
