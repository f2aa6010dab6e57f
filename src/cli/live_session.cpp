#include "cli/live_session.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "cli/console.hpp"

namespace edgecase::cli {
namespace {

// A pipe that can be written to has room for so much: the write does not wait.
constexpr size_t kPieceBytes = 4096;

}  // namespace

LiveSession::LiveSession(Input input) : input_(input) {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) sigaddset(&set, number);
    if (input == Input::keys) sigaddset(&set, SIGTSTP);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
    pipe_before_ = std::signal(SIGPIPE, SIG_IGN);
    signals_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

LiveSession::~LiveSession() {
    take_signals();  // one that came late has its wish: this ends
    close(signals_);
    std::signal(SIGPIPE, pipe_before_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

/// Whether the end is wanted.
bool LiveSession::take_signals() {
    signalfd_siginfo info{};
    while (read(signals_, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
        switch (static_cast<int>(info.ssi_signo)) {
            case SIGWINCH:
                resized_ = true;
                break;
            case SIGTSTP:
                stop_wanted_ = true;
                break;
            default:
                end_wanted_ = true;
        }
    }
    return end_wanted_;
}

LiveSession::Event LiveSession::wait(std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (true) {
        if (take_signals()) return Event::end;
        if (std::exchange(stop_wanted_, false)) return Event::stop;
        if (std::exchange(resized_, false)) return Event::resized;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        // Asked for nothing, standard output still tells when its reader has gone.
        std::array<pollfd, 3> watched{{{signals_, POLLIN, 0},
                                       {STDOUT_FILENO, 0, 0},
                                       {input_ == Input::keys ? STDIN_FILENO : -1, POLLIN, 0}}};
        const int ready = poll(watched.data(), watched.size(),
                               static_cast<int>(std::max<int64_t>(left.count(), 0)));
        if (ready < 0 && errno != EINTR) return Event::end;
        if ((watched[1].revents & (POLLERR | POLLHUP)) != 0) return Event::end;
        if (watched[0].revents != 0) continue;
        if ((watched[2].revents & POLLIN) != 0) return Event::keys;
        if (watched[2].revents != 0) return Event::end;  // the terminal has gone
        if (ready == 0 && left.count() <= 0) return Event::time;
    }
}

bool LiveSession::write(std::string_view text) {
    while (!text.empty()) {
        std::array<pollfd, 2> watched{{{signals_, POLLIN, 0}, {STDOUT_FILENO, POLLOUT, 0}}};
        const int ready = poll(watched.data(), watched.size(), -1);
        if (ready < 0 && errno != EINTR) return false;
        if (take_signals()) return false;
        if ((watched[1].revents & POLLOUT) == 0) {
            if (watched[1].revents != 0) return false;
            continue;
        }
        const ssize_t written =
            ::write(STDOUT_FILENO, text.data(), std::min(text.size(), kPieceBytes));
        if (written >= 0) {
            text.remove_prefix(static_cast<size_t>(written));
            continue;
        }
        if (errno == EINTR || errno == EAGAIN) continue;
        if (errno != EPIPE) {
            failed_ = true;
            complain("cannot write to standard output: " + std::generic_category().message(errno));
        }
        return false;
    }
    return true;
}

}  // namespace edgecase::cli
