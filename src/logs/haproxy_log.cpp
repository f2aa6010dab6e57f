#include <array>

#include "logs/log_time.hpp"
#include "logs/other_formats.hpp"
#include "logs/template_format.hpp"

namespace edgecase::logs {
namespace {

/// `HH:MM:SS` has a colon before the milliseconds' point, as CLF has it.
class HaproxyReader final : public AccessReader {
  public:
    std::string_view format() const override { return "haproxy"; }
    bool may_have_ray() const override { return true; }

    /// Source: HAProxy configuration manual 8.2.3, HTTP log format; a syslog prefix may be before.
    /// CLIENT [TIME] FRONTEND BACKEND/SERVER TR/Tw/Tc/Tr/Ta STATUS BYTES CC CS STATE A/F/B/S/R Q/Q
    /// {REQUEST HEADERS} {RESPONSE HEADERS} "REQUEST"
    Parsed read(std::string_view line, EntryView& into) override {
        if (line.empty()) return Parsed::nothing;
        size_t open = std::string_view::npos;
        size_t close = 0;
        std::optional<LogTime> time;
        // `haproxy[12]:` has brackets too.
        for (open = line.find('['); open != std::string_view::npos;
             open = line.find('[', open + 1)) {
            close = line.find(']', open);
            if (close == std::string_view::npos) return Parsed::failed;
            time = clf_time(line.substr(open + 1, close - open - 1));
            if (time) break;
        }
        if (!time || open < 2) return Parsed::failed;
        into.time = *time;
        into.moment = Moment::start;
        into.resolution_us = 1000;
        std::string_view before = line.substr(0, open - 1);
        before = before.substr(before.rfind(' ') + 1);
        into.client = before.substr(0, before.rfind(':'));
        std::string_view rest = line.substr(close + 1);
        std::array<std::string_view, 10> words;
        for (std::string_view& word : words) {
            while (rest.starts_with(' ')) rest.remove_prefix(1);
            word = rest.substr(0, rest.find(' '));
            if (word.empty()) return Parsed::failed;
            rest.remove_prefix(word.size());
        }
        const int64_t status = number_of(words[3]);
        if (status > 999 || (status < 0 && words[3] != "-1")) return Parsed::failed;
        into.status = status < 0 ? uint16_t{0} : static_cast<uint16_t>(status);
        std::string_view total = words[2].substr(words[2].rfind('/') + 1);
        if (total.starts_with('+')) total.remove_prefix(1);
        if (const int64_t ms = number_of(total); ms >= 0 && ms < INT64_MAX / 1000)
            into.duration_us = ms * 1000;
        into.response_bytes = number_of(words[4]);
        if (words[7].size() != 4) return Parsed::failed;
        into.reason = words[7];
        const size_t quote = rest.find('"');
        if (quote == std::string_view::npos) return Parsed::failed;
        into.ray = ray_in(rest.substr(0, quote));
        std::string_view request = rest.substr(quote + 1);
        request = request.substr(0, request.find('"'));
        split_request(request, into);
        return Parsed::entry;
    }
};

class HaproxyFormat final : public AccessFormat {
  public:
    std::string_view name() const override { return "haproxy"; }
    std::unique_ptr<AccessReader> reader() const override {
        return std::make_unique<HaproxyReader>();
    }
};

}  // namespace

AccessFormatPtr haproxy_format() {
    return std::make_shared<HaproxyFormat>();
}

}  // namespace edgecase::logs
