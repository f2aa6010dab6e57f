// Any text to the readers of rule sets: each ends, says where it is wrong, or gives rules that
// judge every address exactly once.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "allowlist/evaluate.hpp"
#include "allowlist/gaps.hpp"
#include "allowlist/published.hpp"
#include "allowlist/readers.hpp"
#include "allowlist/render.hpp"
#include "allowlist/report.hpp"
#include "expect.hpp"

namespace {

using namespace edgecase;
using ip::AddressSet;

void check_judgement(const allowlist::Ruleset& rules, ip::Family family, uint16_t port) {
    allowlist::Question question;
    question.family = family;
    question.port = port;
    const AddressSet all = AddressSet::all(family);
    const allowlist::Judgement judgement = allowlist::judge(rules, question, all);
    const std::array parts{&judgement.admitted, &judgement.dropped, &judgement.rejected,
                           &judgement.rate_limited, &judgement.unknown};
    AddressSet sum(family);
    for (const AddressSet* const part : parts) {
        fuzz::expect(sum.intersect(*part).empty(), "no address has two verdicts");
        sum = sum.unite(*part);
    }
    fuzz::expect(sum == all, "every address has a verdict");
}

void check_error(const allowlist::ReadError& error) {
    fuzz::expect(!error.what.empty(), "an error says what is wrong");
    fuzz::expect((error.line == 0) == (error.column == 0), "a place has line and column");
}

}  // namespace

/// The first byte picks the format; one value has the list of ranges, one recognises the format.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto formats = allowlist::formats();
    const size_t which = data[0] % (formats.size() + 2);
    if (which == formats.size() + 1) {
        const auto list = allowlist::parse_published({"f", text});
        if (!list) {
            check_error(list.error());
            return 0;
        }
        for (const auto& format : allowlist::render_formats()) {
            const std::array<uint16_t, 2> ports{80, 443};
            fuzz::expect(!format.render(*list, ports).empty(), "a list can be rendered");
        }
        return 0;
    }
    const std::string_view name = which == formats.size() ? "" : formats[which].name;
    const auto rules = allowlist::read_rules({{"f", text}}, name);
    if (!rules) {
        check_error(rules.error());
        return 0;
    }
    check_judgement(*rules, ip::Family::v4, 443);
    check_judgement(*rules, ip::Family::v6, 80);
    const allowlist::Report report = allowlist::check(*rules, allowlist::built_in(), {});
    fuzz::expect(report.rows.size() == 44, "a row for each range and port");
    const auto gaps = allowlist::find_gaps(*rules, allowlist::built_in(), {});
    for (const allowlist::Gap& gap : gaps) {
        fuzz::expect(gap.stage < rules->stages.size(), "a gap is at a stage");
        fuzz::expect(!gap.ports.empty() && !gap.ranges.empty(), "a gap stops something");
    }
    const bool is_stopped = std::ranges::any_of(report.rows, [](const allowlist::Row& row) {
        return !row.dropped.empty() || !row.rejected.empty();
    });
    fuzz::expect(!is_stopped || !gaps.empty(), "what is stopped has a gap");
    return 0;
}
