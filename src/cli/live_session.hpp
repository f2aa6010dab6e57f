// Owns the standard streams and signals of a command that runs until it is told to end.
#pragma once

#include <chrono>
#include <csignal>
#include <string_view>

namespace edgecase::cli {

/// From its making on SIGINT, SIGTERM, SIGHUP and SIGQUIT are events, and a reader of standard
/// output that goes away is one too: whoever uses it ends on a path of its own.
class LiveSession {
  public:
    enum class Event : unsigned char {
        time,     // nothing happened
        end,      // a signal, or nobody reads standard output
        resized,  // the terminal
        stop,     // Ctrl-Z; only with keys
        keys,     // some can be read from standard input; only with keys
    };
    enum class Input : bool { ignored, keys };

    explicit LiveSession(Input input);
    LiveSession(const LiveSession&) = delete;
    LiveSession& operator=(const LiveSession&) = delete;
    ~LiveSession();

    Event wait(std::chrono::milliseconds time);
    /// To standard output, all of it; waits for a slow reader. False: the end is wanted, or nobody
    /// can be written to, see failed().
    bool write(std::string_view text);
    /// Standard output refused what was written, as a full disk does. It was complained of.
    bool failed() const { return failed_; }

  private:
    bool take_signals();

    const Input input_;
    int signals_ = -1;
    sigset_t before_;
    void (*pipe_before_)(int);
    bool end_wanted_ = false;
    bool resized_ = false;
    bool stop_wanted_ = false;
    bool failed_ = false;
};

}  // namespace edgecase::cli
