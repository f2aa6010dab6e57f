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

bool stands_before_ray(char c) {
    return c == ' ' || c == '"';
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

/// The text between two fields, compared eight bytes at once: lines are padded (kLinePadding).
class Literal {
  public:
    explicit Literal(std::string_view text) : text_(text) {
        const size_t head = std::min(text.size(), sizeof(word_));
        std::memcpy(&word_, text.data(), head);
        const std::array<uint8_t, sizeof(mask_)> ones{255, 255, 255, 255, 255, 255, 255, 255};
        std::memcpy(&mask_, ones.data(), head);
    }
    bool empty() const { return text_.empty(); }
    size_t size() const { return text_.size(); }
    char front() const { return text_.front(); }
    bool stands_at(std::string_view line, size_t at) const {
        if (line.size() - at < text_.size()) return false;
        uint64_t here;
        std::memcpy(&here, line.data() + at, sizeof(here));
        return (here & mask_) == word_ &&
               (text_.size() <= sizeof(word_) || line.substr(at).starts_with(text_));
    }

  private:
    std::string_view text_;
    uint64_t word_ = 0;
    uint64_t mask_ = 0;
};

class TemplateReader final : public AccessReader {
  public:
    explicit TemplateReader(std::shared_ptr<const Template> text)
        : shared_(std::move(text)), template_(*shared_) {
        for (size_t i = 0; i < template_.pieces.size(); ++i) {
            const Slot slot = template_.pieces[i].slot;
            literals_.emplace_back(template_.pieces[i].before);
            if (is_time(slot) || has_ray(slot)) needed_ = i + 1;
            may_have_ray_ = may_have_ray_ || has_ray(slot);
            if (is_time(slot)) behind_time_ = i + 1;
        }
        const Piece& last = template_.pieces.back();
        ends_in_ray_ = has_ray(last.slot) && behind_time_ > 0 && !last.before.empty() &&
                       stands_before_ray(last.before.back());
        literals_.emplace_back(template_.after);
        rooms_.resize(template_.pieces.size());
    }

    std::string_view format() const override { return template_.name; }
    bool may_have_ray() const override { return may_have_ray_; }

    Parsed read(std::string_view line, EntryView& into) override {
        path_ = query_ = {};
        rooms_used_ = 0;
        return walk(line, into, template_.pieces.size(),
                    [&](Slot slot, std::string_view value) { return take(slot, value, into); });
    }

    Parsed read_time_and_ray(std::string_view line, EntryView& into) override {
        into.ray = ends_in_ray_ ? ray_at_end(line) : 0;
        if (into.ray != 0) {
            return walk(line, into, behind_time_, [&](Slot slot, std::string_view value) {
                return !is_time(slot) || take_time(slot, value, into);
            });
        }
        return walk(line, into, needed_, [&](Slot slot, std::string_view value) {
            if (is_time(slot)) return take_time(slot, value, into);
            if (slot == Slot::ray) into.ray = ray_of_field(value);
            if (slot == Slot::rest) into.ray = ray_of_rest(value);
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
            // A field ends where the literal behind it begins, so only the first is to be proved.
            if (i == 0 && !literals_[i].stands_at(line, at)) return Parsed::failed;
            at += literals_[i].size();
            const size_t end = pieces[i].slot == Slot::rest ? line.size()
                               : is_last_time(line, at, i)  ? at + last_text_size_
                                                            : end_of(line, at, literals_[i + 1]);
            if (end == std::string_view::npos) return Parsed::failed;
            if (!take_one(pieces[i].slot, line.substr(at, end - at))) return Parsed::failed;
            at = end;
        }
        if (count == pieces.size() && line.substr(at) != template_.after) return Parsed::failed;
        return Parsed::entry;
    }

    /// Lines of one second have one text, so its end need not be looked for.
    bool is_last_time(std::string_view line, size_t at, size_t piece) const {
        return last_text_size_ > 0 && !literals_[piece + 1].empty() &&
               is_time(template_.pieces[piece].slot) && line.size() - at >= last_text_size_ &&
               std::memcmp(line.data() + at, last_text_.data(), last_text_size_) == 0 &&
               literals_[piece + 1].stands_at(line, at + last_text_size_);
    }

    /// The last word, if it is a Ray ID with its colo: nothing else looks like that, so the fields
    /// before it need not be walked through.
    uint64_t ray_at_end(std::string_view line) const {
        if (!line.ends_with(template_.after)) return 0;
        line.remove_suffix(template_.after.size());
        return last_ray(line);
    }
    /// Of several, as two proxies in a row send them, the last.
    static uint64_t ray_of_field(std::string_view value) {
        const uint64_t ray = ray_of(value);
        return ray != 0 ? ray : last_ray(value);
    }
    static uint64_t ray_of_rest(std::string_view value) {
        const uint64_t ray = last_ray(value);
        return ray != 0 ? ray : ray_in(value);
    }
    static uint64_t last_ray(std::string_view line) {
        constexpr size_t kLength = 20;
        if (line.size() <= kLength || line[line.size() - 4] != '-') return 0;
        if (!stands_before_ray(line[line.size() - kLength - 1])) return 0;
        return ray_of(line.substr(line.size() - kLength));
    }

    /// Where the literal that follows a field begins.
    static size_t end_of(std::string_view line, size_t from, const Literal& next) {
        if (next.empty()) return line.size();
        const char* const end = line.data() + line.size();
        for (const char* at = line.data() + from; at < end;) {
            at = static_cast<const char*>(
                std::memchr(at, next.front(), static_cast<size_t>(end - at)));
            if (at == nullptr) return std::string_view::npos;
            const auto here = static_cast<size_t>(at - line.data());
            if (next.stands_at(line, here) &&
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

    /// Each field has its own room: `$request` and `$request_uri` may stand in one line.
    std::string_view plain(std::string_view value) {
        value = without_dash(value);
        if (value.find('\\') == std::string_view::npos) return value;
        std::string& room = rooms_[rooms_used_++];
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
                split_request(plain(value), into);
                break;
            case Slot::method:
                into.method = without_dash(value);
                break;
            case Slot::uri:
                into.uri = plain(value);
                break;
            case Slot::path:
                into.uri = path_ = plain(value);
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
                into.user_agent = plain(value);
                break;
            case Slot::referer:
                into.referer = plain(value);
                break;
            case Slot::ray:
                into.ray = ray_of_field(value);
                break;
            case Slot::worker:
                into.worker = number_of(value);
                break;
            case Slot::reason:
                into.reason = without_dash(value);
                break;
            case Slot::rest:
                into.ray = ray_of_rest(value);
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
    std::vector<Literal> literals_;  // before each piece, and behind the last
    size_t needed_ = 0;              // pieces up to the last with time or ray
    size_t behind_time_ = 0;         // pieces up to that with the time
    bool ends_in_ray_ = false;
    bool may_have_ray_ = false;
    std::array<char, 40> last_text_{};
    size_t last_text_size_ = 0;
    LogTime last_time_ = kNoTime;
    std::vector<std::string> rooms_;  // as many as there are fields
    size_t rooms_used_ = 0;
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
    bool moment_is_known() const override { return template_->moment_is_known; }

  private:
    std::shared_ptr<const Template> template_;
};

}  // namespace

AccessFormatPtr template_format(Template text) {
    return std::make_shared<TemplateFormat>(std::move(text));
}

}  // namespace edgecase::logs
