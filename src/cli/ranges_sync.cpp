#include "cli/ranges_sync.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "allowlist/render.hpp"
#include "allowlist/rule_parts.hpp"
#include "base/ascii.hpp"
#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/ranges_command.hpp"
#include "cli/ranges_fetch.hpp"
#include "cli/ranges_input.hpp"
#include "cli/replace_file.hpp"

namespace edgecase::cli {
namespace {

using allowlist::Published;
using Status = std::expected<void, std::string>;

constexpr size_t kMaxOutputBytes = size_t{1} << 20;  // of the reload command

int fail(int status, const std::string& what) {
    complain(one_line(what));
    return status;
}

const allowlist::RenderFormat* format_of(const std::string& name) {
    const auto* const format = allowlist::render_format(name);
    if (format != nullptr) return format;
    std::string known;
    for (const auto& one : allowlist::render_formats()) {
        known += (known.empty() ? "" : ", ") + std::string(one.name);
    }
    complain(one_line("--format " + name + ": not one of " + known));
    return nullptr;
}

std::vector<uint16_t> ports_of(const std::vector<int>& given) {
    std::vector<uint16_t> ports;
    for (const int port : given) {
        const auto number = static_cast<uint16_t>(port);
        if (std::ranges::find(ports, number) == ports.end()) ports.push_back(number);
    }
    return ports;
}

/// All sources as one list: the text form has a file for each family.
std::expected<Published, std::string> gather(const std::vector<std::string>& from) {
    Published all;
    for (const std::string& place : from) {
        auto source = is_url(place) ? fetch(place) : read_source(place, kMaxListBytes);
        if (!source) return std::unexpected(source.error());
        const auto list = allowlist::parse_published(*source);
        if (!list) return std::unexpected(list.error().to_string());
        for (const ip::Cidr& range : list->ranges) {
            if (std::ranges::find(all.ranges, range) == all.ranges.end())
                all.ranges.push_back(range);
        }
    }
    return all;
}

/// What keeps a new list from being taken.
Status judge(const Published& fresh, const std::vector<ip::Cidr>& old) {
    const std::string objection = allowlist::objection_to(fresh);
    if (!objection.empty()) return std::unexpected(objection);
    struct Count {
        size_t all = 0;
        size_t lost = 0;
    };
    std::array<Count, 2> counts;
    for (const ip::Cidr& range : old) {
        Count& count = counts[static_cast<size_t>(range.family)];
        ++count.all;
        if (!fresh.of(range.family).covers(ip::AddressSet(range))) ++count.lost;
    }
    // Of each family as well: a list of one alone would shut the other out.
    const std::array<std::pair<Count, std::string>, 3> judged{
        std::pair{Count{old.size(), counts[0].lost + counts[1].lost}, std::string("ranges")},
        std::pair{counts[0], std::string("ranges of IPv4")},
        std::pair{counts[1], std::string("ranges of IPv6")}};
    for (const auto& [count, what] : judged) {
        if (2 * count.lost <= count.all) continue;
        return std::unexpected("the new list lacks " + std::to_string(count.lost) + " of the " +
                               std::to_string(count.all) + " " + what + " that the file has");
    }
    return {};
}

/// Whether a file may be replaced that is none of ours, perhaps.
bool is_list(const std::string& before, const std::string& content) {
    constexpr std::string_view kMark = "written by `edgecase ranges`";
    if (base::trim(before).empty()) return true;
    // Not every format has comments.
    return content.contains(kMark) ? before.contains(kMark) : !allowlist::ranges_in(before).empty();
}

/// Where links lead: what they point to is replaced, not they themselves.
std::string resolved(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                           &std::free);
    return real ? real.get() : path;
}

std::string diff(const std::vector<ip::Cidr>& old, const std::vector<ip::Cidr>& fresh) {
    std::string text;
    for (const ip::Cidr& range : old) {
        if (std::ranges::find(fresh, range) == fresh.end()) text += "- " + range.to_string() + "\n";
    }
    for (const ip::Cidr& range : fresh) {
        if (std::ranges::find(old, range) == old.end()) text += "+ " + range.to_string() + "\n";
    }
    return text;
}

Status reload(const std::string& command) {
    const auto argv = allowlist::words_of(command);
    if (argv.empty()) return {};
    const auto output = run_command(argv, kMaxOutputBytes);
    if (!output) return std::unexpected(output.error());
    if (!output->is_found) return std::unexpected(argv[0] + ": no such program");
    if (output->status != 0) return std::unexpected(argv[0] + ": " + output->errors);
    return {};
}

/// Writes, keeps what was there, reloads; and takes everything back if that fails.
int apply(const RangesSyncFlags& flags, const std::string& content, const std::string& before,
          bool existed) {
    if (existed) {
        const auto kept = replace_file(flags.to + ".previous", before, flags.to);
        if (!kept) return fail(kUsage, kept.error());
    }
    const auto written = replace_file(flags.to, content);
    if (!written) return fail(kUsage, written.error());
    const Status reloaded = reload(flags.reload);
    if (reloaded) return kFine;
    std::string text = "the reload failed, the file is as it was: " + reloaded.error();
    if (existed) {
        const auto restored = replace_file(flags.to, before);
        if (!restored) text = "the reload failed, and so did taking it back: " + restored.error();
    } else {
        unlink(flags.to.c_str());
    }
    return fail(kWrongOrMissing, text);
}

}  // namespace

int run_ranges_render(const RangesRenderFlags& flags) {
    const auto* const format = format_of(flags.format);
    if (format == nullptr) return kUsage;
    const auto published = published_of(flags.ranges, "");
    if (!published) return fail(kUsage, published.error());
    print(format->render(*published, ports_of(flags.ports)));
    return kFine;
}

int run_ranges_sync(const RangesSyncFlags& given) {
    const auto* const format = format_of(given.format);
    if (format == nullptr) return kUsage;
    RangesSyncFlags flags = given;
    flags.to = resolved(given.to);
    std::string before;
    struct stat file{};
    const bool exists = stat(flags.to.c_str(), &file) == 0;
    struct stat link{};
    if (!exists && lstat(flags.to.c_str(), &link) == 0) {
        return fail(kUsage, flags.to + ": a link that leads nowhere");
    }
    if (exists) {
        if (!S_ISREG(file.st_mode)) return fail(kUsage, flags.to + ": is no file");
        if (file.st_size > 0) {
            auto source = read_source(flags.to, allowlist::kMaxSourceBytes);
            if (!source) return fail(kUsage, source.error());
            before = std::move(source->text);
        }
    }
    const auto fresh = gather(flags.from);
    if (!fresh) return fail(kWrongOrMissing, fresh.error() + "; nothing was changed");
    std::string content = format->render(*fresh, ports_of(flags.ports));
    // Of both as they are rendered: a format may be for one family alone.
    const auto old = allowlist::ranges_in(before);
    const auto now = allowlist::ranges_in(content);
    if (now.empty())
        return fail(kWrongOrMissing, "the list has no range for this format; nothing was changed");
    if (!is_list(before, content) && !flags.force) {
        return fail(kWrongOrMissing, flags.to +
                                         ": is no list of `edgecase ranges`; nothing was "
                                         "changed (--force replaces it all the same)");
    }
    const Status judged = judge(*fresh, old);
    if (!judged && !flags.force) {
        return fail(kWrongOrMissing,
                    judged.error() + "; nothing was changed (--force takes it all the same)");
    }
    const std::string changes = diff(old, now);
    print(changes);
    if (content == before) {
        note("unchanged: " + one_line(flags.to) + " has all " + std::to_string(now.size()) +
             " ranges\n");
        return kFine;
    }
    if (flags.dry_run) {
        note("would be written: " + one_line(flags.to) + "\n");
        return kWrongOrMissing;
    }
    const int status = apply(flags, content, before, exists);
    if (status == kFine) {
        note("written: " + one_line(flags.to) + ", " + std::to_string(now.size()) + " ranges\n");
    }
    return status;
}

}  // namespace edgecase::cli
