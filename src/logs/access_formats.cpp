#include "logs/access_formats.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "logs/json_format.hpp"
#include "logs/other_formats.hpp"
#include "logs/template_format.hpp"

namespace edgecase::logs {
namespace {

struct Named {
    std::string_view name;
    std::string_view text;  // of a template
    Moment moment = Moment::end;
};

// Source: nginx and Apache, their default formats; Envoy, its default format string; Traefik;
// morgan.
constexpr std::string_view kCombined =
    "$remote_addr $ident $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
    "\"$http_referer\" \"$http_user_agent\"";
constexpr std::string_view kCommon =
    "$remote_addr $ident $remote_user [$time_local] \"$request\" $status $body_bytes_sent";
constexpr std::array kTemplates{
    Named{"combined", kCombined},
    Named{"common", kCommon},
    Named{"combined+",
          "$remote_addr $ident $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
          "\"$http_referer\" \"$http_user_agent\" $edgecase_rest"},
    Named{"common+",
          "$remote_addr $ident $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
          "$edgecase_rest"},
    Named{"vhost_combined",
          "$host:$port $remote_addr $ident $remote_user [$time_local] \"$request\" $status "
          "$bytes_sent \"$http_referer\" \"$http_user_agent\"",
          Moment::start},
    Named{"envoy",
          "[$time_iso8601] \"$request\" $status $edgecase_reason $details $termination "
          "\"$transport\" $request_length $body_bytes_sent $edgecase_duration_ms $service "
          "\"$http_x_forwarded_for\" \"$http_user_agent\" \"$id\" \"$host\" \"$upstream\"",
          Moment::start},
    Named{"envoy-short",
          "[$time_iso8601] \"$request\" $status $edgecase_reason $request_length $body_bytes_sent "
          "$edgecase_duration_ms $service \"$http_x_forwarded_for\" \"$http_user_agent\" \"$id\" "
          "\"$host\" \"$upstream\"",
          Moment::start},
};
constexpr std::array<std::string_view, 17> kNames{
    "combined",     "common", "combined+",   "common+",    "vhost_combined", "caddy",    "traefik",
    "traefik-json", "envoy",  "envoy-short", "envoy-json", "haproxy",        "gunicorn", "morgan",
    "apache",       "iis",    "json"};

/// Other servers' names for formats that are there already.
std::string_view alias(std::string_view name) {
    if (name == "gunicorn" || name == "morgan" || name == "nginx") return "combined";
    if (name == "traefik") return "combined+";
    return name;
}

AccessFormatPtr named_format(std::string_view name) {
    if (name == "apache") {
        auto text = apache_template("apache combined",
                                    R"(%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i")");
        return text ? template_format(std::move(*text)) : nullptr;
    }
    if (name == "haproxy") return haproxy_format();
    if (name == "iis") return iis_format();
    if (name == "caddy") return json_format(caddy_map());
    if (name == "traefik-json") return json_format(traefik_map());
    if (name == "envoy-json") return json_format(envoy_map());
    if (name == "json") return json_format(usual_map());
    const auto* const found = std::ranges::find(kTemplates, alias(name), &Named::name);
    if (found == kTemplates.end()) return nullptr;
    auto text = nginx_template(name, found->text);
    if (!text) return nullptr;
    text->moment = found->moment;
    // By its own name the server is known: what these write is the time of the end.
    text->moment_is_known = found->moment == Moment::start || name == "gunicorn" ||
                            name == "morgan" || name == "nginx" || name == "traefik";
    if (name == "traefik") text->moment = Moment::start;
    if (name.starts_with("envoy")) text->resolution_us = 1000;
    return template_format(std::move(*text));
}

/// The quoted parts of a directive, joined: 'a' 'b';
std::string joined_quotes(std::string_view text) {
    std::string result;
    while (!(text = base::trim(text)).empty() && text.front() != ';') {
        const char quote = text.front();
        if (quote == '\n' || quote == '\r') {
            text.remove_prefix(1);
            continue;
        }
        if (quote != '"' && quote != '\'') {
            const size_t end = std::min(text.find_first_of(" \t\r\n;"), text.size());
            if (!text.starts_with("escape=")) result += text.substr(0, end);
            text.remove_prefix(end);
            continue;
        }
        size_t end = 1;
        for (; end < text.size() && text[end] != quote; ++end) {
            if (text[end] == '\\' && end + 1 < text.size()) {
                // Within quotes only the quote and the backslash are escaped.
                if (text[end + 1] != quote && text[end + 1] != '\\') result += '\\';
                ++end;
            }
            result += text[end];
        }
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    return result;
}

/// `log_format NAME 'text' 'text';` as it stands in a configuration.
std::expected<Template, std::string> nginx_directive(std::string_view text) {
    text = base::trim(text.substr(std::string_view("log_format").size()));
    const size_t end = text.find_first_of(" \t\r\n");
    if (end == std::string_view::npos) return std::unexpected("log_format without a text");
    return nginx_template(text.substr(0, end), joined_quotes(text.substr(end)));
}

/// `LogFormat "text" name`, `CustomLog path "text"`.
std::expected<Template, std::string> apache_directive(std::string_view line) {
    const size_t quote = line.find('"');
    if (quote == std::string_view::npos) return std::unexpected("no format in quotes");
    std::string text;
    size_t end = quote + 1;
    for (; end < line.size() && line[end] != '"'; ++end) {
        if (line[end] == '\\' && end + 1 < line.size() && line[end + 1] == '"') ++end;
        text += line[end];
    }
    const std::string_view name = base::trim(line.substr(std::min(line.size(), end + 1)));
    return apache_template(name.empty() ? "LogFormat" : name.substr(0, name.find(' ')), text);
}

void add_apache_line(std::string_view line, std::vector<AccessFormatPtr>& formats) {
    line = base::trim(line);
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view word = line.substr(0, end);
    if (!base::iequals(word, "LogFormat") && !base::iequals(word, "CustomLog")) return;
    if (auto text = apache_directive(line)) formats.push_back(template_format(std::move(*text)));
}

/// Without comments; nginx's and Apache's begin alike.
std::string without_comments(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        if (!base::trim(line).starts_with('#')) result.append(line).append("\n");
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    return result;
}

/// A format recognised by looking, and the one that lines may have had before the servers'
/// configuration was changed, or have since.
class TwoFormats final : public AccessFormat {
  public:
    TwoFormats(AccessFormatPtr first, AccessFormatPtr other)
        : first_(std::move(first)), other_(std::move(other)) {}
    std::string_view name() const override { return first_->name(); }
    bool moment_is_known() const override { return first_->moment_is_known(); }
    std::unique_ptr<AccessReader> reader() const override {
        return std::make_unique<Reader>(first_->reader(), other_->reader());
    }

  private:
    class Reader final : public AccessReader {
      public:
        Reader(std::unique_ptr<AccessReader> first, std::unique_ptr<AccessReader> other)
            : first_(std::move(first)), other_(std::move(other)) {}
        std::string_view format() const override { return first_->format(); }
        bool may_have_ray() const override {
            return first_->may_have_ray() || other_->may_have_ray();
        }
        Parsed read(std::string_view line, EntryView& into) override {
            const Parsed parsed = first_->read(line, into);
            if (parsed != Parsed::failed) return parsed;
            into = {};
            return other_->read(line, into);
        }
        Parsed read_time_and_ray(std::string_view line, EntryView& into) override {
            // The first alone would not look so far.
            const bool skips_ray = !first_->may_have_ray() && ends_in_ray(line);
            const Parsed parsed =
                skips_ray ? Parsed::failed : first_->read_time_and_ray(line, into);
            if (parsed != Parsed::failed) return parsed;
            into = {};
            return other_->read_time_and_ray(line, into);
        }

      private:
        static bool ends_in_ray(std::string_view line) {
            constexpr size_t kLength = 20;  // with its colo
            if (line.ends_with('"')) line.remove_suffix(1);
            return line.size() > kLength && line[line.size() - 4] == '-' &&
                   ray_of(line.substr(line.size() - kLength)) != 0;
        }

        std::unique_ptr<AccessReader> first_;
        std::unique_ptr<AccessReader> other_;
    };

    AccessFormatPtr first_;
    AccessFormatPtr other_;
};

/// `combined` and `combined+` may stand in one log; null: the format has no such twin.
AccessFormatPtr with_twin(std::string_view name) {
    for (const auto& [plain, longer] :
         {std::pair("combined", "combined+"), std::pair("common", "common+")}) {
        if (name == plain) {
            return std::make_shared<TwoFormats>(named_format(plain), named_format(longer));
        }
        if (name == longer) {
            return std::make_shared<TwoFormats>(named_format(longer), named_format(plain));
        }
    }
    return nullptr;
}

/// How much an entry says.
int richness(const EntryView& entry) {
    return (entry.ray != 0 ? 4 : 0) + (entry.time != kNoTime) + !entry.method.empty() +
           !entry.uri.empty() + !entry.host.empty() + (entry.status != 0) +
           (entry.body_bytes >= 0) + (entry.response_bytes >= 0) + (entry.duration_us >= 0) +
           !entry.client.empty() + !entry.forwarded.empty() + !entry.user_agent.empty() +
           !entry.reason.empty();
}

}  // namespace

std::span<const std::string_view> access_format_names() {
    return kNames;
}

std::expected<AccessFormatPtr, std::string> access_format(std::string_view text) {
    if (AccessFormatPtr named = named_format(text)) return named;
    const auto made = [](std::expected<Template, std::string> made_template)
        -> std::expected<AccessFormatPtr, std::string> {
        if (!made_template) return std::unexpected(made_template.error());
        return template_format(std::move(*made_template));
    };
    if (text.starts_with("json:")) {
        auto map = json_map(text.substr(5));
        if (!map) return std::unexpected(map.error());
        return json_format(std::move(*map));
    }
    const std::string_view trimmed = base::trim(text);
    if (trimmed.starts_with("log_format")) return made(nginx_directive(trimmed));
    if (base::iequals(trimmed.substr(0, 9), "LogFormat")) return made(apache_directive(trimmed));
    if (text.find('$') != std::string_view::npos) return made(nginx_template("log_format", text));
    if (text.find('%') != std::string_view::npos) return made(apache_template("LogFormat", text));
    std::string names;
    for (const std::string_view one : kNames)
        names += (names.empty() ? "" : ", ") + std::string(one);
    return std::unexpected("\"" + std::string(text) + "\" is none of " + names +
                           ", no format string (with $name or %x), and not @FILE");
}

std::expected<std::vector<AccessFormatPtr>, std::string> formats_of_configuration(
    std::string_view text) {
    std::vector<AccessFormatPtr> formats;
    std::string plain = without_comments(text);
    const std::string_view whole = plain;
    for (size_t at = whole.find("log_format"); at != std::string_view::npos;
         at = whole.find("log_format", at + 1)) {
        if (auto made = nginx_directive(whole.substr(at))) {
            formats.push_back(template_format(std::move(*made)));
        }
    }
    std::string line;
    for (std::string_view rest = whole; !rest.empty();) {
        const size_t end = std::min(rest.find('\n'), rest.size());
        line += rest.substr(0, end);
        rest.remove_prefix(std::min(rest.size(), end + 1));
        if (line.ends_with('\\')) {
            line.pop_back();
            continue;
        }
        add_apache_line(line, formats);
        line.clear();
    }
    if (formats.empty()) {
        return std::unexpected("holds no log_format of nginx and no LogFormat of Apache");
    }
    return formats;
}

AccessFormatPtr recognise_access(std::span<const std::string_view> lines,
                                 std::span<const AccessFormatPtr> also) {
    std::vector<AccessFormatPtr> candidates(also.begin(), also.end());
    for (const std::string_view name : kNames) {
        if (alias(name) == name && name != "apache") candidates.push_back(named_format(name));
    }
    // The last: where one alone does as well, it gives the name.
    for (const std::string_view name : {"combined+", "combined"}) {
        candidates.push_back(with_twin(name));
    }
    AccessFormatPtr best;
    size_t best_read = 0;
    int best_says = -1;
    for (const AccessFormatPtr& format : candidates) {
        const std::unique_ptr<AccessReader> reader = format->reader();
        size_t read = 0;
        size_t tried = 0;
        int says = 0;
        for (const std::string_view line : lines) {
            EntryView entry;
            const Parsed parsed = reader->read(line, entry);
            if (parsed == Parsed::nothing) continue;
            ++tried;
            if (parsed != Parsed::entry) continue;
            ++read;
            says += richness(entry);
        }
        if (2 * read < tried || read == 0) continue;
        if (read > best_read || (read == best_read && says > best_says)) {
            best = format;
            best_read = read;
            best_says = says;
        }
    }
    if (best == nullptr || std::ranges::find(also, best) != also.end()) return best;
    const AccessFormatPtr twins = with_twin(best->name());
    return twins != nullptr ? twins : best;
}

}  // namespace edgecase::logs
