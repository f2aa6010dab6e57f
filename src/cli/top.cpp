#include "cli/top.hpp"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>

#include "base/duration.hpp"
#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/filter_flags.hpp"
#include "cli/live_session.hpp"
#include "cli/top_keys.hpp"
#include "cli/top_text.hpp"
#include "cli/traffic.hpp"
#include "record/traffic_json.hpp"

namespace edgecase::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kRecentLooks = 400;  // wider is no terminal

/// The terminal while it is ours: another screen, keys one by one, no cursor. All of it is given
/// back on every way out.
class Screen {
  public:
    explicit Screen(LiveSession& session) : session_(session) { enter(); }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;
    ~Screen() { leave(); }

    bool draw(const std::string& lines) {
        std::string text = "\x1b[H";
        for (const char c : lines)
            text += c == '\n' ? std::string("\x1b[K\r\n") : std::string(1, c);
        return session_.write(text + "\x1b[K\x1b[J");
    }
    /// Ctrl-Z: the shell gets its terminal, and gives it back some time.
    bool stop() {
        leave();
        raise(SIGSTOP);
        return enter();
    }

    static std::pair<size_t, size_t> columns_and_rows() {
        winsize size{};
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
            return {80, 24};
        }
        return {size.ws_col, size.ws_row};
    }

  private:
    bool enter() {
        has_keys_ = isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &before_) == 0;
        if (has_keys_) {
            termios keys = before_;
            keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
            keys.c_cc[VMIN] = 0;
            keys.c_cc[VTIME] = 0;
            tcsetattr(STDIN_FILENO, TCSANOW, &keys);
        }
        return session_.write("\x1b[?1049h\x1b[?25l\x1b[2J");
    }
    void leave() {
        // Not through the session, which writes nothing more once its end is wanted.
        constexpr std::string_view kBack = "\x1b[?25h\x1b[?1049l";
        [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, kBack.data(), kBack.size());
        if (has_keys_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    }

    LiveSession& session_;
    termios before_{};
    bool has_keys_ = false;
};

class Top {
  public:
    Top(const TopFlags& flags, Ledger ledger, milliseconds interval, milliseconds window, TopBy by)
        : flags_(flags),
          ledger_(std::move(ledger)),
          interval_(interval),
          window_(window),
          by_(by),
          colour_(wants_colour()) {}

    int run() {
        if (const auto looked = look(); !looked) {
            complain(looked.error());
            return kWrongOrMissing;
        }
        const bool live = !flags_.once && !flags_.json && isatty(STDOUT_FILENO) != 0;
        if (live) return run_screen();
        if (flags_.json) return run_json();
        print(top_text(screen(), terminal_columns(), 0, colour_, false) + "\n");
        return kFine;
    }

  private:
    /// Reads the store anew: its file may have been replaced. Errors: a sentence.
    std::expected<void, std::string> look() {
        const auto source = open_source(ledger_);
        if (!source) return std::unexpected(source.error());
        record::TrafficQuery query;
        query.until = base::SystemClock().wall_now();
        query.since = query.until - window_;
        query.by = series_of(by_);
        query.node = flags_.ledger.node;
        auto traffic = record::traffic(**source, query);
        if (!traffic) return std::unexpected(std::move(traffic.error()));
        const auto before = record::traffic_before(**source, *traffic);
        if (!before) return std::unexpected(before.error());
        if (const auto missing = (*source)->take_missing(); missing != missing_) {
            missing_ = missing;
            tell_missing(missing);
        }
        const auto now = steady_clock::now();
        if (counted_) {
            const uint64_t requests = arrived(*counted_, *traffic);
            const std::chrono::duration<double> passed = now - looked_at_;
            // A look out of turn, after a key, is no measure of anything.
            if (passed >= interval_ / 2) {
                per_second_ = static_cast<double>(requests) / passed.count();
                recent_.push_back(requests);
                if (recent_.size() > kRecentLooks) recent_.erase(recent_.begin());
                looked_at_ = now;
                counted_ = *traffic;
            }
        } else {
            looked_at_ = now;
            counted_ = *traffic;
        }
        traffic_ = std::move(*traffic);
        before_ = *before;
        return {};
    }

    TopScreen screen() const {
        return {*traffic_,   by_,     failures_first_, paused_,
                per_second_, recent_, flags_.interval, trouble_};
    }

    int run_json() {
        LiveSession session(LiveSession::Input::ignored);
        do {
            if (!trouble_.empty()) {
                complain(trouble_);
            } else if (!session.write(record::traffic_json(*traffic_, &before_).dump() + "\n")) {
                break;
            }
            if (flags_.once || session.wait(interval_) == LiveSession::Event::end) break;
            refresh();
        } while (true);
        return session.failed() ? kUsage : kFine;
    }

    int run_screen() {
        LiveSession session(isatty(STDIN_FILENO) != 0 ? LiveSession::Input::keys
                                                      : LiveSession::Input::ignored);
        Screen terminal(session);
        auto due = steady_clock::now() + interval_;
        while (true) {
            const auto [columns, rows] = Screen::columns_and_rows();
            if (!terminal.draw(top_text(screen(), columns, rows, colour_, true))) break;
            const auto left = std::chrono::ceil<milliseconds>(due - steady_clock::now());
            const LiveSession::Event event = session.wait(std::max(left, milliseconds(0)));
            if (event == LiveSession::Event::end) break;
            if (event == LiveSession::Event::stop && !terminal.stop()) break;
            if (event == LiveSession::Event::keys && !take_keys()) break;
            if (event == LiveSession::Event::time) {
                if (!paused_) refresh();
                due = steady_clock::now() + interval_;
            }
        }
        return session.failed() ? kUsage : kFine;
    }

    void refresh() {
        const auto looked = look();
        trouble_ = looked ? std::string() : looked.error();
    }

    /// False: the end is wanted.
    bool take_keys() {
        std::array<char, 256> bytes{};
        const ssize_t got = read(STDIN_FILENO, bytes.data(), bytes.size());
        if (got <= 0) return false;  // the terminal has gone
        for (const TopKey key : keys_.read({bytes.data(), static_cast<size_t>(got)})) {
            switch (key) {
                case TopKey::quit:
                    return false;
                case TopKey::next:
                case TopKey::previous:
                    by_ = stepped(by_, key == TopKey::next ? 1 : -1);
                    if (!paused_) refresh();
                    break;
                case TopKey::sort:
                    failures_first_ = !failures_first_;
                    break;
                case TopKey::pause:
                    paused_ = !paused_;
                    break;
            }
        }
        return true;
    }

    const TopFlags& flags_;
    const Ledger ledger_;
    const milliseconds interval_;
    const milliseconds window_;
    TopBy by_;
    const bool colour_;
    TopKeys keys_;
    std::vector<std::string> missing_;  // parts of the ledger, as told last
    std::optional<record::Traffic> traffic_;
    std::optional<record::Traffic> counted_;  // at the last look in turn
    record::TrafficTotals before_;
    steady_clock::time_point looked_at_;
    double per_second_ = 0;
    std::vector<uint64_t> recent_;
    std::string trouble_;
    bool failures_first_ = false;
    bool paused_ = false;
};

}  // namespace

int run_top(const TopFlags& flags) {
    const auto interval = span_of("--interval", flags.interval);
    const auto window = span_of("--window", flags.window);
    const auto by = parse_top_by(flags.by);
    std::string wrong;
    if (!interval) {
        wrong = interval.error();
    } else if (!window) {
        wrong = window.error();
    } else if (!by) {
        wrong =
            "--by wants cause, status, host, origin or path, not \"" + one_line(flags.by) + "\"";
    } else if (*interval < milliseconds(100) || *interval > std::chrono::hours(1)) {
        wrong = "--interval must be 100ms to 1h, not " + flags.interval;
    } else if (*window < std::chrono::minutes(1)) {
        wrong = "--window must be 1m at least, for requests are counted by the minute";
    }
    if (!wrong.empty()) {
        complain(wrong);
        return kUsage;
    }
    const auto ledger = find_ledger(flags.ledger);
    if (!ledger) {
        complain(ledger.error());
        return kUsage;
    }
    return Top(flags, *ledger, *interval, *window, *by).run();
}

}  // namespace edgecase::cli
