#include <algorithm>
#include <array>
#include <vector>

#include "base/ascii.hpp"
#include "logs/log_time.hpp"
#include "logs/other_formats.hpp"
#include "logs/template_format.hpp"

namespace edgecase::logs {
namespace {

enum class Column : uint8_t {
    other,
    date,
    time,
    method,
    stem,
    query,
    client,
    user_agent,
    referer,
    host,
    status,
    sent,
    received,
    taken,
    ray,
    forwarded
};

struct Name {
    std::string_view name;
    Column column;
};
constexpr std::array kColumns{
    Name{"date", Column::date},
    Name{"time", Column::time},
    Name{"cs-method", Column::method},
    Name{"cs-uri-stem", Column::stem},
    Name{"cs-uri-query", Column::query},
    Name{"c-ip", Column::client},
    Name{"cs(User-Agent)", Column::user_agent},
    Name{"cs(Referer)", Column::referer},
    Name{"cs-host", Column::host},
    Name{"sc-status", Column::status},
    Name{"sc-bytes", Column::sent},
    Name{"cs-bytes", Column::received},
    Name{"time-taken", Column::taken},
    Name{"cs(CF-Ray)", Column::ray},
    Name{"CF-Ray", Column::ray},
    Name{"X-Forwarded-For", Column::forwarded},
    Name{"cs(X-Forwarded-For)", Column::forwarded},
};

/// W3C Extended Log File Format as IIS writes it: in UTC, at the end of a request.
class IisReader final : public AccessReader {
  public:
    std::string_view format() const override { return "iis"; }
    bool may_have_ray() const override { return true; }

    Parsed read(std::string_view line, EntryView& into) override {
        if (line.empty()) return Parsed::nothing;
        if (line.starts_with("#Fields:")) {
            take_fields(line.substr(8));
            return Parsed::nothing;
        }
        if (line.front() == '#') return Parsed::nothing;
        if (columns_.empty()) return Parsed::failed;
        date_ = clock_ = stem_ = query_ = {};
        size_t index = 0;
        for (std::string_view rest = line; !rest.empty() && index < columns_.size(); ++index) {
            const std::string_view word = rest.substr(0, rest.find(' '));
            rest.remove_prefix(std::min(rest.size(), word.size() + 1));
            if (word != "-") take(columns_[index], word, into);
        }
        if (index != columns_.size() || into.status == 0) return Parsed::failed;
        stamp_ = date_;
        stamp_ += ' ';
        stamp_ += clock_;
        const auto time = iso_time(stamp_);
        if (!time) return Parsed::failed;
        into.time = *time;
        uri_ = stem_;
        if (!query_.empty()) (uri_ += '?') += query_;
        into.uri = uri_;
        return Parsed::entry;
    }

  private:
    void take_fields(std::string_view names) {
        constexpr size_t kMaximumColumns = 100;
        columns_.clear();
        while (!(names = base::trim(names)).empty() && columns_.size() < kMaximumColumns) {
            const std::string_view name = names.substr(0, names.find(' '));
            names.remove_prefix(name.size());
            const auto* const known = std::ranges::find_if(
                kColumns, [&](const Name& one) { return base::iequals(one.name, name); });
            columns_.push_back(known == kColumns.end() ? Column::other : known->column);
        }
    }

    void take(Column column, std::string_view word, EntryView& into) {
        switch (column) {
            case Column::other:
                break;
            case Column::date:
                date_ = word;
                break;
            case Column::time:
                clock_ = word;
                break;
            case Column::method:
                into.method = word;
                break;
            case Column::stem:
                stem_ = word;
                break;
            case Column::query:
                query_ = word;
                break;
            case Column::client:
                into.client = word;
                break;
            case Column::user_agent:
                agent_ = word;
                std::ranges::replace(agent_, '+', ' ');
                into.user_agent = agent_;
                break;
            case Column::referer:
                into.referer = word;
                break;
            case Column::host:
                into.host = word;
                break;
            case Column::status:
                into.status = static_cast<uint16_t>(std::clamp<int64_t>(number_of(word), 0, 999));
                break;
            case Column::sent:
                into.response_bytes = number_of(word);
                break;
            case Column::received:
                into.request_bytes = number_of(word);
                break;
            case Column::taken:
                if (const int64_t ms = number_of(word); ms >= 0 && ms < INT64_MAX / 1000) {
                    into.duration_us = ms * 1000;
                }
                break;
            case Column::ray:
                into.ray = ray_of(word);
                break;
            case Column::forwarded:
                into.forwarded = first_address(word);
                break;
        }
    }

    std::vector<Column> columns_;
    std::string_view date_;
    std::string_view clock_;
    std::string_view stem_;
    std::string_view query_;
    std::string stamp_;
    std::string uri_;
    std::string agent_;
};

class IisFormat final : public AccessFormat {
  public:
    std::string_view name() const override { return "iis"; }
    std::unique_ptr<AccessReader> reader() const override { return std::make_unique<IisReader>(); }
};

}  // namespace

AccessFormatPtr iis_format() {
    return std::make_shared<IisFormat>();
}

}  // namespace edgecase::logs
