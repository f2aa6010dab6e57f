#include "logs/template_format.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

bool is_time(Slot slot) {
    return slot == Slot::time_clf || slot == Slot::time_iso || slot == Slot::time_epoch;
}
bool has_ray(Slot slot) {
    return slot == Slot::ray || slot == Slot::rest;
}

std::string_view without_dash(std::string_view text) {
    return text == "-" ? std::string_view() : text;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// `\x22`, `\"`, `\\`, `\n`, `\t` as the bytes they stand for.
std::string unescaped(std::string_view text) {
    std::string result;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            result += text[i];
            continue;
        }
        const char c = text[++i];
        if (c == 'x' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
            hex_digit(text[i + 2]) >= 0) {
            result += static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
            i += 2;
        } else {
            result += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        }
    }
    return result;
}

class TemplateReader final : public AccessReader {
  public:
    explicit TemplateReader(std::shared_ptr<const Template> text)
        : shared_(std::move(text)), template_(*shared_) {
        for (size_t i = 0; i < template_.pieces.size(); ++i) {
            const Slot slot = template_.pieces[i].slot;
            if (is_time(slot) || has_ray(slot)) needed_ = i + 1;
            may_have_ray_ = may_have_ray_ || has_ray(slot);
        }
    }

    std::string_view format() const override { return template_.name; }
    bool may_have_ray() const override { return may_have_ray_; }

    Parsed read(std::string_view line, EntryView& into) override {
        path_ = query_ = {};
        return walk(line, into, template_.pieces.size(),
                    [&](Slot slot, std::string_view value) { return take(slot, value, into); });
    }

    Parsed read_time_and_ray(std::string_view line, EntryView& into) override {
        return walk(line, into, needed_, [&](Slot slot, std::string_view value) {
            if (is_time(slot)) return take_time(slot, value, into);
            if (slot == Slot::ray) into.ray = ray_of(value);
            if (slot == Slot::rest) into.ray = ray_in(value);
            return true;
        });
    }

  private:
    template <typename Take>
    Parsed walk(std::string_view line, EntryView& into, size_t count, Take take_one) {
        if (line.empty()) return Parsed::nothing;
        into.moment = template_.moment;
        into.resolution_us = template_.resolution_us;
        const std::vector<Piece>& pieces = template_.pieces;
        size_t at = 0;
        for (size_t i = 0; i < count; ++i) {
            const std::string& before = pieces[i].before;
            if (line.size() - at < before.size() ||
                std::memcmp(line.data() + at, before.data(), before.size()) != 0) {
                return Parsed::failed;
            }
            at += before.size();
            const std::string& next =
                i + 1 < pieces.size() ? pieces[i + 1].before : template_.after;
            const size_t end = pieces[i].slot == Slot::rest ? line.size() : end_of(line, at, next);
            if (end == std::string_view::npos) return Parsed::failed;
            if (!take_one(pieces[i].slot, line.substr(at, end - at))) return Parsed::failed;
            at = end;
        }
        if (count == pieces.size() && line.substr(at) != template_.after) return Parsed::failed;
        return Parsed::entry;
    }

    /// Where the literal that follows a field begins.
    static size_t end_of(std::string_view line, size_t from, const std::string& next) {
        if (next.empty()) return line.size();
        const char* const end = line.data() + line.size();
        for (const char* at = line.data() + from; at < end;) {
            at = static_cast<const char*>(
                std::memchr(at, next.front(), static_cast<size_t>(end - at)));
            if (at == nullptr) return std::string_view::npos;
            const auto here = static_cast<size_t>(at - line.data());
            if (line.substr(here).starts_with(next) &&
                !(next.front() == '"' && is_escaped(line, from, here))) {
                return here;
            }
            ++at;
        }
        return std::string_view::npos;
    }

    static bool is_escaped(std::string_view line, size_t from, size_t at) {
        size_t backslashes = 0;
        while (at - backslashes > from && line[at - backslashes - 1] == '\\') ++backslashes;
        return backslashes % 2 == 1;
    }

    bool take_time(Slot slot, std::string_view value, EntryView& into) {
        // Lines of one second have one text.
        if (value.size() == last_text_size_ && value.size() <= last_text_.size() &&
            std::memcmp(value.data(), last_text_.data(), value.size()) == 0) {
            into.time = last_time_;
            return true;
        }
        const auto time = slot == Slot::time_clf   ? clf_time(value)
                          : slot == Slot::time_iso ? iso_time(value)
                                                   : epoch_time(value);
        if (!time) return false;
        into.time = *time;
        if (value.size() <= last_text_.size()) {
            std::memcpy(last_text_.data(), value.data(), value.size());
            last_text_size_ = value.size();
            last_time_ = *time;
        }
        return true;
    }

    std::string_view plain(std::string_view value, std::string& room) {
        value = without_dash(value);
        if (value.find('\\') == std::string_view::npos) return value;
        room = unescaped(value);
        return room;
    }

    bool take(Slot slot, std::string_view value, EntryView& into) {
        switch (slot) {
            case Slot::ignored:
                break;
            case Slot::time_clf:
            case Slot::time_iso:
            case Slot::time_epoch:
                return take_time(slot, value, into);
            case Slot::request:
                split_request(plain(value, uri_room_), into);
                break;
            case Slot::method:
                into.method = without_dash(value);
                break;
            case Slot::uri:
                into.uri = plain(value, uri_room_);
                break;
            case Slot::path:
                into.uri = path_ = plain(value, uri_room_);
                join_query(into);
                break;
            case Slot::query:
                query_ = without_dash(value);
                join_query(into);
                break;
            case Slot::host:
                into.host = without_dash(value);
                break;
            case Slot::status:
                return take_status(value, into.status);
            case Slot::upstream_status:
                take_status(value.substr(value.find_last_of(", ") + 1), into.upstream_status);
                break;
            case Slot::body_bytes:
                into.body_bytes = value == "-" ? 0 : number_of(value);
                return into.body_bytes >= 0;
            case Slot::response_bytes:
                into.response_bytes = number_of(value);
                return into.response_bytes >= 0 || value == "-";
            case Slot::request_bytes:
                into.request_bytes = number_of(value);
                return into.request_bytes >= 0 || value == "-";
            case Slot::duration_s:
                into.duration_us = millionths_of(value);
                return into.duration_us >= 0 || value == "-";
            case Slot::duration_ms:
                into.duration_us = millionths_of(value) < 0 ? -1 : millionths_of(value) / 1000;
                break;
            case Slot::duration_us:
                into.duration_us = number_of(value);
                break;
            case Slot::client:
                into.client = without_dash(value);
                break;
            case Slot::forwarded:
                if (into.forwarded.empty()) into.forwarded = first_address(value);
                break;
            case Slot::user_agent:
                into.user_agent = plain(value, agent_room_);
                break;
            case Slot::referer:
                into.referer = plain(value, referer_room_);
                break;
            case Slot::ray:
                into.ray = ray_of(value);
                break;
            case Slot::worker:
                into.worker = number_of(value);
                break;
            case Slot::reason:
                into.reason = without_dash(value);
                break;
            case Slot::rest:
                into.ray = ray_in(value);
                break;
        }
        return true;
    }

    static bool take_status(std::string_view value, uint16_t& status) {
        const int64_t number = number_of(value);
        if (value == "-") return true;
        if (number < 0 || number > 999) return false;
        status = static_cast<uint16_t>(number);
        return true;
    }

    /// Path and query stand apart, in either order.
    void join_query(EntryView& into) {
        if (path_.empty() || query_.empty()) return;
        joined_ = path_;
        if (!query_.starts_with('?')) joined_ += '?';
        joined_ += query_;
        into.uri = joined_;
        path_ = query_ = {};
    }

    std::shared_ptr<const Template> shared_;  // readers outlive their format
    const Template& template_;
    size_t needed_ = 0;
    bool may_have_ray_ = false;
    std::array<char, 40> last_text_{};
    size_t last_text_size_ = 0;
    LogTime last_time_ = kNoTime;
    std::string uri_room_;
    std::string agent_room_;
    std::string referer_room_;
    std::string_view path_;
    std::string_view query_;
    std::string joined_;
};

class TemplateFormat final : public AccessFormat {
  public:
    explicit TemplateFormat(Template text)
        : template_(std::make_shared<const Template>(std::move(text))) {}
    std::string_view name() const override { return template_->name; }
    std::unique_ptr<AccessReader> reader() const override {
        return std::make_unique<TemplateReader>(template_);
    }

  private:
    std::shared_ptr<const Template> template_;
};

}  // namespace

AccessFormatPtr template_format(Template text) {
    return std::make_shared<TemplateFormat>(std::move(text));
}

}  // namespace edgecase::logs
