#include "cli/sync_state.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "cli/ranges_input.hpp"
#include "cli/replace_file.hpp"

namespace edgecase::cli {
namespace {

constexpr size_t kMaxCopyBytes = size_t{1} << 30;  // it was a file of ours, whatever it had before
constexpr std::string_view kHadNone = "none before\n";
constexpr std::string_view kHadCopy = "copy kept\n";

std::unexpected<std::string> failed(const std::string& path) {
    return std::unexpected(path + ": " + std::strerror(errno));
}

/// systemd gives several, with colons between them.
std::string folder_of_service() {
    const char* const given = std::getenv("STATE_DIRECTORY");
    const std::string folders = given != nullptr ? given : "";
    return folders.substr(0, folders.find(':'));
}

/// A path as one name, different for different paths.
std::string as_name(const std::string& path) {
    std::string name;
    for (const char c : path) {
        if (c == '/') {
            name += "%2F";
        } else if (c == '%') {
            name += "%25";
        } else {
            name += c;
        }
    }
    return name;
}

std::expected<std::string, std::string> read_all(const std::string& path) {
    auto source = read_source(path, kMaxCopyBytes);
    if (!source) return std::unexpected(source.error());
    return std::move(source->text);
}

}  // namespace

SyncState::SyncState(std::string file, std::string stem, int lock)
    : file_(std::move(file)),
      previous_(stem + ".previous"),
      pending_(stem + ".pending"),
      lock_(lock),
      owes_reload_(access(pending_.c_str(), F_OK) == 0) {}

SyncState::SyncState(SyncState&& other) noexcept
    : file_(std::move(other.file_)),
      previous_(std::move(other.previous_)),
      pending_(std::move(other.pending_)),
      lock_(std::exchange(other.lock_, -1)),
      owes_reload_(other.owes_reload_) {}

SyncState::~SyncState() {
    if (lock_ >= 0) close(lock_);
}

std::expected<SyncState, std::string> SyncState::open(const std::string& file, std::string folder) {
    const size_t slash = file.rfind('/');
    const std::string beside = slash == std::string::npos ? "./" : file.substr(0, slash + 1);
    const std::string base = slash == std::string::npos ? file : file.substr(slash + 1);
    if (folder.empty()) folder = folder_of_service();
    // The link that leads to the file does not matter: its whole path does.
    const std::string stem = folder.empty() ? beside + "." + base : folder + "/" + as_name(file);
    const std::string locked = folder.empty() ? beside : folder;
    const int lock = ::open(locked.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) return failed(locked);
    while (flock(lock, LOCK_EX) != 0) {
        if (errno == EINTR) continue;
        auto error = failed(locked);
        close(lock);
        return error;
    }
    return SyncState(file, stem, lock);
}

std::expected<LastGood, std::string> SyncState::last_good(const LastGood& now) const {
    if (!owes_reload_) return now;
    const auto mark = read_all(pending_);
    // One that is empty was cut off before the file was touched.
    if (!mark) return now;
    if (*mark == kHadNone) return LastGood{};
    if (access(previous_.c_str(), F_OK) != 0) return now;
    auto copy = read_all(previous_);
    // A file without content can be kept as well.
    if (!copy) return LastGood{""};
    return LastGood{std::move(*copy)};
}

std::expected<void, std::string> SyncState::begin(const LastGood& good, bool reloads) {
    if (owes_reload_) return {};  // what is kept is what was last reloaded
    if (good) {
        const auto kept = replace_file(previous_, *good, file_);
        if (!kept) return kept;
    }
    if (!reloads) return {};
    const auto marked = replace_file(pending_, std::string(good ? kHadCopy : kHadNone));
    owes_reload_ = marked.has_value();
    return marked;
}

std::expected<void, std::string> SyncState::end() {
    if (!owes_reload_) return {};
    if (unlink(pending_.c_str()) != 0 && errno != ENOENT) return failed(pending_);
    owes_reload_ = false;
    return {};
}

}  // namespace edgecase::cli
