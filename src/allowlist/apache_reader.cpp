#include "allowlist/apache_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "allowlist/contains.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

constexpr size_t kMaxSections = 100'000;
constexpr size_t kMaxDepth = 64;
constexpr size_t kBytesPerLine = 256;  // a longer one counts as several

/// Files without rules for a whole site, by the last part of their names.
bool is_harmless(std::string_view pattern) {
    constexpr std::array<std::string_view, 8> kEnds{
        "mods-enabled/*.load", "conf.modules.d/*.conf",  "ports.conf",
        "mime.conf",           "charset.conf",           "mime.types",
        "ssl-params.conf",     "options-ssl-apache.conf"};
    return std::ranges::any_of(kEnds, [&](std::string_view end) {
        if (!pattern.ends_with(end)) return false;
        const std::string_view before = pattern.substr(0, pattern.size() - end.size());
        return before.empty() || before.ends_with('/');
    });
}

bool may_matter(std::string_view directive) {
    constexpr std::array<std::string_view, 13> kMatter{
        "require",      "order",   "allow",           "deny",       "satisfy", "authmerging",
        "documentroot", "include", "includeoptional", "loadmodule", "define",  "undefine",
        "serverroot"};
    return contains(kMatter, directive) || directive.starts_with("remoteip");
}

}  // namespace

std::expected<ApacheConfig, ReadError> ApacheReader::read() {
    stack_.push_back({});
    stack_.back().place = {file_, 1, 0};
    if (auto error = read_file(file_)) return std::unexpected(std::move(*error));
    if (stack_.size() > 1) {
        return std::unexpected(ReadError{into_.source(file_).name, 0, 0,
                                         "<" + stack_.back().kind + "> is not closed"});
    }
    // mod_remoteip without a list takes anybody's word.
    if (has_remote_header_ && !has_proxies_) {
        config_.trusted = {everyone(ip::Family::v4), everyone(ip::Family::v6)};
    }
    config_.top = std::move(stack_.front());
    return std::move(config_);
}

ReadResult ApacheReader::read_file(uint32_t file) {
    const uint32_t outer = std::exchange(file_, file);
    ++depth_;
    config_.files.insert(file);
    ReadResult error;
    const std::string_view text = into_.source(file).text;
    std::string continued;
    uint32_t first = 0;
    std::string_view last;
    const auto read_whole = [&] {
        const size_t cost = 1 + continued.size() / kBytesPerLine;
        if (lines_ < cost) {
            lines_ = 0;
            error = error_at(into_.source(file), static_cast<size_t>(last.data() - text.data()),
                             "more than can be read, with all that is included");
            return;
        }
        lines_ -= cost;
        const std::string what = read_line(base::trim(continued), {file, first, 0});
        continued.clear();
        if (error_) error = error_;
        if (error || what.empty()) return;
        error = error_at(into_.source(file), static_cast<size_t>(last.data() - text.data()), what);
    };
    for_each_line(text, [&](uint32_t number, std::string_view line) {
        if (error) return;
        if (continued.empty()) first = number;
        last = line;
        if (line.ends_with('\\')) {
            continued += line.substr(0, line.size() - 1);
            continued += ' ';
            return;
        }
        continued += line;
        read_whole();
    });
    if (!error && !continued.empty()) read_whole();
    --depth_;
    file_ = outer;
    return error;
}

std::string ApacheReader::read_line(std::string_view line, const Place& place) {
    if (line.empty() || line.front() == '#') return {};
    if (modsecurity_ != nullptr) {
        if (auto what = modsecurity_->read_line(line, place); !what.empty()) return what;
    }
    if (line.starts_with("</")) return close(line);
    if (line.front() == '<') return open(line, place);
    if (skipped_ > 0 || has_assumption()) {
        const size_t end = std::min(line.find_first_of(" \t"), line.size());
        if (may_matter(base::to_lower(line.substr(0, end)))) mark_assumptions();
        if (skipped_ > 0) return {};
    }
    return directive(line, place);
}

std::string ApacheReader::directive(std::string_view line, const Place& place) {
    const auto words = words_of(line);
    const std::string name = base::to_lower(words[0]);
    Section& section = stack_.back();
    const auto touch = [&] {
        config_.has_directive = true;
        if (!has_access(section)) section.place = place;
    };
    if (!has_assumption()) world_.meet(name);
    if (name == "require") {
        touch();
        return require(words, section, place);
    }
    if (name == "order" && words.size() > 1) {
        touch();
        section.has_order = true;
        section.is_order_allow_deny = base::to_lower(words[1]).starts_with("allow");
    } else if ((name == "allow" || name == "deny") && words.size() > 2) {
        touch();
        section.has_order = true;
        auto& lets = name == "allow" ? section.allowed : section.denied;
        for (size_t i = 2; i < words.size(); ++i) lets.push_back(whom(words[i]));
    } else if ((name == "include" || name == "includeoptional") && words.size() > 1) {
        config_.has_directive = true;
        include(line, words[1], place);
    } else if (name.starts_with("remoteip")) {
        remote_ip(name, words);
    } else if (words.size() > 1) {
        about_server(name, words);
    }
    return {};
}

void ApacheReader::about_server(const std::string& name, const std::vector<std::string>& words) {
    if (name == "satisfy") {
        config_.satisfies_any |= base::iequals(words[1], "any");
    } else if (name == "authmerging") {
        config_.merges |= !base::iequals(words[1], "off");
    } else if (name == "documentroot") {
        host().root = without_slashes(words[1]);
    } else if (name == "serverroot") {
        root_ = without_slashes(words[1]);
    } else if (name == "loadmodule" && words.size() > 2) {
        world_.load(words[1], words[2]);
    } else if (name == "define" || name == "undefine") {
        world_.define(words[1], name == "define");
    }
}

void ApacheReader::remote_ip(const std::string& name, const std::vector<std::string>& words) {
    if (name == "remoteipheader") has_remote_header_ = true;
    const auto trust_everyone = [&] {
        config_.trusted.push_back(everyone(ip::Family::v4));
        config_.trusted.push_back(everyone(ip::Family::v6));
    };
    if (name == "remoteipproxyprotocol" && words.size() > 1 && base::iequals(words[1], "on")) {
        trust_everyone();
    } else if (name == "remoteiptrustedproxylist" || name == "remoteipinternalproxylist") {
        has_proxies_ = true;
        trust_everyone();
    } else if (name == "remoteiptrustedproxy" || name == "remoteipinternalproxy") {
        has_proxies_ = true;
        for (size_t i = 1; i < words.size(); ++i) {
            const auto range = apache_range(words[i]);
            if (range) config_.trusted.push_back(*range);
            if (!range) trust_everyone();  // a host's name
        }
    }
}

void ApacheReader::include(std::string_view line, const std::string& pattern, const Place& place) {
    std::string why_not = "files include each other too deep";
    if (depth_ < kMaxIncludeDepth) {
        const Included& found = into_.includes.of(into_.rules, main_, root_, pattern);
        for (const uint32_t file : found.files) {
            error_ = read_file(file);
            if (error_) return;
        }
        why_not = found.why_not;
    }
    if (why_not.empty() || is_harmless(pattern)) return;
    config_.notes.push_back(
        fmt::format("{}:{}: {} is not followed: {}; --rules may name its files "
                    "as well",
                    into_.source(file_).name, place.line, line, why_not));
    // It may well have the rules.
    make_unclear(stack_.back(), fmt::format("{}: {}", line, why_not), place);
}

/// Whether an assumption holds is of interest only where something within can change the answer.
void ApacheReader::mark_assumptions() {
    if (std::ranges::any_of(stack_, is_part)) return;
    for (const Section& section : stack_) {
        if (!section.assumption.empty()) world_.matters(section.assumption);
    }
}

/// The virtual host that is being read, or the server itself.
Section& ApacheReader::host() {
    const auto found =
        std::ranges::find(stack_.rbegin(), stack_.rend(), "virtualhost", &Section::kind);
    return found == stack_.rend() ? stack_.front() : *found;
}

std::string ApacheReader::require(const std::vector<std::string>& words, Section& section,
                                  const Place&) {
    size_t at = 1;
    const bool is_negated = words.size() > 1 && base::iequals(words[1], "not");
    if (is_negated) ++at;
    if (at >= words.size()) return "what is required is missing";
    Let let;
    const std::string kind = base::to_lower(words[at]);
    if (kind == "all" && at + 1 < words.size()) {
        if (base::iequals(words[at + 1], "granted")) let = Let::all();
    } else if (kind == "ip") {
        std::vector<AddressRange> ranges;
        for (size_t i = at + 1; i < words.size(); ++i) {
            const auto range = apache_range(words[i]);
            if (!range) return "`" + words[i] + "` is no address";
            ranges.push_back(*range);
        }
        let = Let::of(ranges);
    } else if (kind != "local") {  // the edge is another machine
        let = Let::unknown();
    }
    section.has_require = true;
    (is_negated ? section.refused : section.required).push_back(std::move(let));
    return {};
}

std::string ApacheReader::open(std::string_view line, const Place& place) {
    if (++sections_ > kMaxSections || stack_.size() > kMaxDepth)
        return "more sections than can be read";
    Section section = section_of(line);
    if (section.kind.empty()) return "a section needs a name";
    section.place = place;
    if (ApacheWorld::is_condition(section.kind) && skipped_ == 0) {
        ApacheWorld::Answer answer = world_.ask(section.kind, section.name);
        section.is_skipped = !answer.holds;
        section.assumption = std::move(answer.assumption);
    }
    if (section.kind == "virtualhost") {
        config_.has_directive = true;
        mark_assumptions();
    }
    if (section.is_skipped) ++skipped_;
    if (!section.assumption.empty()) ++assumptions_;
    stack_.push_back(std::move(section));
    return {};
}

std::string ApacheReader::close(std::string_view line) {
    std::string kind = base::to_lower(line.substr(2));
    kind = kind.substr(0, kind.find('>'));
    if (stack_.size() < 2 || stack_.back().kind != kind) return "</" + kind + "> closes no section";
    Section section = std::move(stack_.back());
    stack_.pop_back();
    const bool was_skipped = skipped_ > 0;
    if (section.is_skipped) --skipped_;
    if (!section.assumption.empty()) --assumptions_;
    if (was_skipped) return {};
    Section& outer = stack_.back();
    if (kind == "requireall" || kind == "requireany" || kind == "requirenone") {
        if (!has_access(outer)) outer.place = section.place;
        outer.has_require = true;
        if (section.is_unclear) make_unclear(outer, section.doubt, section.place);
        outer.required.push_back(joined(section));
    } else if (kind == "if" || kind == "elseif" || kind == "else") {
        if (has_access(section)) {
            make_unclear(outer, "<" + section.kind + " " + section.name + ">", section.place);
        }
    } else if (kind == "limit" || kind == "limitexcept") {
        // A visitor's request is a GET.
        if (names_get(section.name) == (kind == "limit")) merge(section, outer);
    } else if (ApacheWorld::is_condition(kind)) {
        merge(section, outer);
    } else if (kind == "virtualhost") {
        config_.hosts.push_back(std::move(section));
    } else if (has_access(section)) {
        host().found.push_back(std::move(section));
    }
    return {};
}

}  // namespace edgecase::allowlist
