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
#include "cli/sync_state.hpp"

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
std::expected<Published, std::string> gather(const std::vector<std::string>& from,
                                             const std::string& ca) {
    Published all;
    for (const std::string& place : from) {
        auto source = is_url(place) ? fetch(place, ca) : read_source(place, kMaxListBytes);
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

std::string real_path(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                           &std::free);
    return real ? real.get() : "";
}

/// Where links lead: what they point to is replaced, not they themselves. The same before and after
/// there is such a file.
std::string resolved(const std::string& path) {
    const std::string real = real_path(path);
    if (!real.empty()) return real;
    const size_t slash = path.rfind('/');
    const std::string folder =
        real_path(slash == std::string::npos ? "." : path.substr(0, slash + 1));
    if (folder.empty()) return path;
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    return (folder == "/" ? "" : folder) + "/" + name;
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

/// Puts back what was there when the reload last succeeded, and has that reloaded: a service that
/// stopped over the new content needs it.
std::string take_back(const RangesSyncFlags& flags, const LastGood& good, SyncState& state) {
    if (!good) {
        unlink(flags.to.c_str());
        const auto ended = state.end();
        return ended ? "the file is as it was" : ended.error();
    }
    const auto restored = replace_file(flags.to, *good);
    if (!restored) return "and so did taking it back: " + restored.error();
    // Else it is still owed.
    if (reload(flags.reload)) {
        const auto ended = state.end();
        if (!ended) return ended.error();
        return "the file is as it was, and reloaded";
    }
    return "the file is as it was";
}

/// Writes, keeps what was there, reloads; and takes everything back if that fails. `content`:
/// nullopt where the file has it already.
int apply(const RangesSyncFlags& flags, const LastGood& content, const LastGood& now,
          SyncState& state) {
    const bool reloads = !allowlist::words_of(flags.reload).empty();
    const auto good = state.last_good(now);
    if (!good) return fail(kUsage, good.error());
    const auto begun = state.begin(*good, reloads);
    if (!begun) return fail(kUsage, begun.error());
    if (content) {
        const auto written = replace_file(flags.to, *content);
        if (!written) return fail(kUsage, written.error());
    }
    if (!reloads) return kFine;
    const Status reloaded = reload(flags.reload);
    if (reloaded) {
        const auto ended = state.end();
        return ended ? kFine : fail(kUsage, ended.error());
    }
    return fail(kWrongOrMissing,
                "the reload failed, " + take_back(flags, *good, state) + ": " + reloaded.error());
}

}  // namespace

int run_ranges_render(const RangesRenderFlags& flags) {
    const auto* const format = format_of(flags.format);
    if (format == nullptr) return kUsage;
    const auto published = published_of(flags.ranges);
    if (!published) return fail(kUsage, published.error());
    print(format->render(*published, ports_of(flags.ports)));
    return kFine;
}

int run_ranges_sync(const RangesSyncFlags& given) {
    const auto* const format = format_of(given.format);
    if (format == nullptr) return kUsage;
    RangesSyncFlags flags = given;
    flags.to = resolved(given.to);
    auto state = SyncState::open(flags.to, flags.state);
    if (!state) return fail(kUsage, state.error());
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
    const auto fresh = gather(flags.from, flags.ca);
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
    for (const ip::Family family : {ip::Family::v4, ip::Family::v6}) {
        if (!fresh->of(family).empty() || format->name.ends_with("tables")) continue;
        note(std::string("the list has no range of ") +
             (family == ip::Family::v4 ? "IPv4" : "IPv6") + ": who comes over it is not let in\n");
    }
    const std::string changes = diff(old, now);
    print(changes);
    const bool is_same = exists && content == before;
    const bool is_owed = state->owes_reload() && !flags.reload.empty();
    const std::string has =
        one_line(flags.to) + " has all " + std::to_string(now.size()) + " ranges";
    if (is_same && !is_owed) {
        note("unchanged: " + has + "\n");
        return kFine;
    }
    if (flags.dry_run) {
        note((is_same ? "would be reloaded: " : "would be written: ") + one_line(flags.to) + "\n");
        return kWrongOrMissing;
    }
    const int status = apply(flags, is_same ? LastGood() : content,
                             exists ? LastGood(before) : LastGood(), *state);
    if (status == kFine && is_same) {
        note("reloaded: " + has + ", and the last run did not get as far\n");
    } else if (status == kFine) {
        note("written: " + one_line(flags.to) + ", " + std::to_string(now.size()) + " ranges\n");
    }
    return status;
}

}  // namespace edgecase::cli
