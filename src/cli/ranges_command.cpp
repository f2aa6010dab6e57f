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

/// False: too much, or not in time.
bool read_both(Pipe& output, Pipe& errors, CommandOutput& into, size_t most_bytes) {
    constexpr size_t kMaxErrorBytes = 4096;
    const auto deadline = Clock::now() + std::chrono::seconds(kCommandSeconds);
    std::array<char, 65536> block{};
    std::array<pollfd, 2> waits{pollfd{output.end(0), POLLIN, 0}, pollfd{errors.end(0), POLLIN, 0}};
    while (waits[0].fd >= 0 || waits[1].fd >= 0) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0 ||
            poll(waits.data(), waits.size(), static_cast<int>(left.count())) == 0) {
            return false;
        }
        for (size_t i = 0; i < waits.size(); ++i) {
            if (waits[i].fd < 0 || waits[i].revents == 0) continue;
            const ssize_t count = read(waits[i].fd, block.data(), block.size());
            if (count <= 0) {
                waits[i].fd = -1;
                continue;
            }
            std::string& text = i == 0 ? into.text : into.errors;
            if (i == 0 || text.size() < kMaxErrorBytes) {
                text.append(block.data(), static_cast<size_t>(count));
            }
            if (into.text.size() > most_bytes) return false;
        }
    }
    return true;
}

int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
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
    const int error =
        posix_spawn(&child, program.c_str(), &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return std::unexpected(program + ": " + std::strerror(error));
    output.close_end(1);
    errors.close_end(1);
    const bool is_read = read_both(output, errors, result, most_bytes);
    if (!is_read) kill(child, SIGKILL);
    result.status = wait_for(child);
    if (!is_read) return std::unexpected(argv[0] + ": said too much, or took too long");
    result.errors = result.errors.substr(0, result.errors.find('\n'));
    if (result.errors.empty()) result.errors = "ended with " + std::to_string(result.status);
    return result;
}

}  // namespace edgecase::cli
