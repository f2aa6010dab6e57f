#include "cli/ranges_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace edgecase::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::string find_program(const std::string& name) {
    if (name.contains('/')) return access(name.c_str(), X_OK) == 0 ? name : "";
    const char* const path = std::getenv("PATH");
    std::string folders = path != nullptr ? path : "/usr/bin:/bin";
    folders += ":/usr/sbin:/sbin";
    for (size_t at = 0; at <= folders.size();) {
        const size_t end = std::min(folders.find(':', at), folders.size());
        const std::string file = folders.substr(at, end - at) + "/" + name;
        if (end > at && access(file.c_str(), X_OK) == 0) return file;
        at = end + 1;
    }
    return "";
}

/// Both ends close themselves.
class Pipe {
  public:
    Pipe() {
        if (pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
    }
    ~Pipe() {
        close_end(0);
        close_end(1);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    bool is_open() const { return ends_[0] >= 0; }
    int end(size_t index) const { return ends_[index]; }
    void close_end(size_t index) {
        if (ends_[index] >= 0) close(ends_[index]);
        ends_[index] = -1;
    }

  private:
    std::array<int, 2> ends_{-1, -1};
};

int status_of(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Until the child has ended, whatever it does with its output: what it started may keep that
/// open, and it may close it and go on. False: too much, or not in time.
bool run_to_end(pid_t child, Pipe& output, Pipe& errors, CommandOutput& into, size_t most_bytes) {
    constexpr size_t kMaxErrorBytes = 4096;
    constexpr int kTickMilliseconds = 20;
    const auto deadline = Clock::now() + std::chrono::seconds(kCommandSeconds);
    std::array<char, 65536> block{};
    std::array<pollfd, 2> waits{pollfd{output.end(0), POLLIN, 0}, pollfd{errors.end(0), POLLIN, 0}};
    bool has_ended = false;
    int last_rounds = 0;
    while (true) {
        if (!has_ended) {
            int status = 0;
            has_ended = waitpid(child, &status, WNOHANG) == child;
            if (has_ended) into.status = status_of(status);
        }
        if (!has_ended && Clock::now() >= deadline) return false;
        // What it had said before its end is still there.
        const int count = poll(waits.data(), waits.size(), has_ended ? 0 : kTickMilliseconds);
        if (count <= 0 && has_ended) return true;
        if (count <= 0) continue;
        bool has_read = false;
        for (size_t i = 0; i < waits.size(); ++i) {
            if (waits[i].fd < 0 || waits[i].revents == 0) continue;
            const ssize_t bytes = read(waits[i].fd, block.data(), block.size());
            if (bytes <= 0) {
                waits[i].fd = -1;
                continue;
            }
            has_read = true;
            std::string& text = i == 0 ? into.text : into.errors;
            if (i == 0 || text.size() < kMaxErrorBytes) {
                text.append(block.data(), static_cast<size_t>(bytes));
            }
            if (into.text.size() > most_bytes) return false;
        }
        // A pipe holds no more than a block; what the child left behind may speak for ever.
        if (has_ended && (!has_read || ++last_rounds == 2)) return true;
    }
}

/// With all that it started.
void end_group(pid_t child) {
    kill(-child, SIGKILL);
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace

std::expected<CommandOutput, std::string> run_command(const std::vector<std::string>& argv,
                                                      size_t most_bytes) {
    CommandOutput result;
    const std::string program = find_program(argv.at(0));
    if (program.empty()) {
        result.is_found = false;
        return result;
    }
    Pipe output;
    Pipe errors;
    if (!output.is_open() || !errors.is_open()) return std::unexpected("no pipe can be made");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output.end(1), 1);
    posix_spawn_file_actions_adddup2(&actions, errors.end(1), 2);
    std::vector<std::string> words = argv;
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    pid_t child = 0;
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    const int error =
        posix_spawn(&child, program.c_str(), &actions, &attributes, pointers.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return std::unexpected(program + ": " + std::strerror(error));
    output.close_end(1);
    errors.close_end(1);
    if (!run_to_end(child, output, errors, result, most_bytes)) {
        end_group(child);
        return std::unexpected(argv[0] + ": said too much, or took too long");
    }
    result.errors = result.errors.substr(0, result.errors.find('\n'));
    if (result.errors.empty()) result.errors = "ended with " + std::to_string(result.status);
    return result;
}

}  // namespace edgecase::cli
