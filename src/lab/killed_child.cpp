#include "lab/killed_child.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace edgecase::lab {
namespace {

constexpr unsigned kLifetimeSeconds = 30;  // in case the client never reads

/// Only async-signal-safe calls: the parent has other threads, whose locks the child inherits.
[[noreturn]] void live_and_die(int socket, int gate, std::string_view bytes) {
    signal(SIGALRM, SIG_DFL);
    alarm(kLifetimeSeconds);
    // Descriptors of other connections must not be kept open by this process.
    const auto low = static_cast<unsigned>(std::min(socket, gate));
    const auto high = static_cast<unsigned>(std::max(socket, gate));
    if (low > 3) close_range(3, low - 1, 0);
    if (high > low + 1) close_range(low + 1, high - 1, 0);
    close_range(high + 1, ~0U, 0);

    char nothing = 0;
    while (read(gate, &nothing, 1) < 0 && errno == EINTR) {
    }
    while (!bytes.empty()) {
        const ssize_t sent = write(socket, bytes.data(), bytes.size());
        if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
        if (sent < 0 && errno != EINTR) break;
    }
    int unacknowledged = 0;
    while (ioctl(socket, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0) {
        const timespec millisecond{0, 1'000'000};
        nanosleep(&millisecond, nullptr);
    }
    kill(getpid(), SIGKILL);
    _exit(1);
}

}  // namespace

void send_and_die(Socket socket, std::string_view bytes) {
    std::array<int, 2> gate{};
    if (pipe(gate.data()) != 0) return;
    Socket gate_read(gate[0]);
    Socket gate_write(gate[1]);
    const pid_t child = fork();
    if (child == 0) live_and_die(socket.descriptor(), gate_read.descriptor(), bytes);
    socket.close();
    // The gate opens when its last writer is gone: from here on the child is the only owner.
    gate_write.close();
    if (child > 0) {
        while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
}

}  // namespace edgecase::lab
