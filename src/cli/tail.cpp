#include "cli/tail.hpp"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/filter_flags.hpp"
#include "cli/live_session.hpp"
#include "cli/tail_text.hpp"
#include "record/case_json.hpp"

namespace edgecase::cli {
namespace {

class Tail {
  public:
    Tail(const TailFlags& flags, const Ledger& ledger, record::CaseFilter filter)
        : flags_(flags),
          ledger_(ledger),
          filter_(std::move(filter)),
          secrets_(flags.show_secrets ? record::Secrets::shown : record::Secrets::redacted),
          colour_(wants_colour()),
          is_terminal_(isatty(STDOUT_FILENO) != 0),
          follower_(make_follower(ledger)),
          session_(LiveSession::Input::ignored) {}

    int run() {
        // The place first: what is stored between the two is in both, and known by its ray.
        const auto place = follower_->skip_present();
        const auto source = open_source(ledger_);
        if (!source && flags_.no_follow) {
            complain(source.error());
            return kWrongOrMissing;
        }
        if (source) {
            if (const auto shown = show_last(**source); !shown) {
                complain(shown.error());
                return kWrongOrMissing;
            }
        }
        if (!flags_.no_follow) {
            if (!place) trouble(place.error());
            follow();
        }
        return session_.failed() ? kUsage : kFine;
    }

  private:
    std::expected<void, std::string> show_last(record::Source& source) {
        if (flags_.lines == 0) return {};
        auto last = source.cases(filter_);
        if (!last) return std::unexpected(std::move(last.error()));
        tell_missing(source);
        std::ranges::reverse(*last);
        for (const record::Record& one : *last) {
            follower_->skip(one.ray);
            if (!show(one)) break;
        }
        return {};
    }

    void follow() {
        std::chrono::milliseconds wait{0};
        while (session_.wait(wait) != LiveSession::Event::end) {
            wait = follower_->pause();
            const auto cases = follower_->next();
            if (!cases) {
                trouble(cases.error());
                continue;
            }
            if (const auto missing = follower_->take_missing(); missing != missing_) {
                missing_ = missing;
                tell_missing(missing);
            }
            if (!trouble_.empty()) {
                complain("the record store is there; following it");
                trouble_.clear();
            }
            for (const record::Record& one : *cases) {
                if (matches(filter_, one) && !show(one)) return;
            }
            if (cases->size() == record::Follower::kMaximumCases) {
                wait = std::chrono::milliseconds(0);
            }
        }
    }

    /// Each once.
    void trouble(const std::string& sentence) {
        if (sentence == trouble_) return;
        trouble_ = sentence;
        complain(sentence + "; waiting for it");
    }

    /// False: it is over.
    bool show(const record::Record& record) {
        if (flags_.json) return session_.write(record::case_json(record, secrets_).dump() + "\n");
        return session_.write(
            tail_line(record, is_terminal_ ? terminal_columns() : 0, colour_, secrets_));
    }

    const TailFlags& flags_;
    const Ledger& ledger_;
    const record::CaseFilter filter_;
    const record::Secrets secrets_;
    const bool colour_;
    const bool is_terminal_;
    const std::unique_ptr<record::Follower> follower_;
    LiveSession session_;
    std::string trouble_;
    std::vector<std::string> missing_;  // as told last
};

}  // namespace

int run_tail(const TailFlags& flags) {
    record::CaseFilter filter;
    if (!flags.since.empty()) {
        const auto since = moment_of("--since", flags.since, base::SystemClock().wall_now());
        if (!since) {
            complain(since.error());
            return kUsage;
        }
        filter.since = *since;
    }
    if (const auto known = check_cause(flags.cause); !known) {
        complain(known.error());
        return kUsage;
    }
    if (flags.status != 0) filter.status = static_cast<uint16_t>(flags.status);
    filter.cause = flags.cause;
    filter.host = flags.host;
    filter.path = flags.path;
    filter.node = flags.ledger.node;
    filter.limit = flags.lines;
    const auto ledger = find_ledger(flags.ledger);
    if (!ledger) {
        complain(ledger.error());
        return kUsage;
    }
    return Tail(flags, *ledger, std::move(filter)).run();
}

}  // namespace edgecase::cli
