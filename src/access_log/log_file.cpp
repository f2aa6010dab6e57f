#include "access_log/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace edgecase::access_log {
namespace {

constexpr mode_t kMode = 0640;  // logs are read by a group

std::string why(int error) {
    char buffer[128];
    return strerror_r(error, buffer, sizeof(buffer));
}

}  // namespace

LogFile::~LogFile() {
    if (descriptor_ >= 0) close(descriptor_);
}

std::expected<void, std::string> LogFile::open() {
    const auto failed = [&](const std::string& what) {
        return std::unexpected("access log " + path_ + " " + what);
    };
    // A pipe without a reader would make the opening wait.
    constexpr int kFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int opened = ::open(path_.c_str(), kFlags | O_CREAT | O_EXCL, kMode);
    // Whatever the umask: who rotates and reads the log is in its group.
    if (opened >= 0) fchmod(opened, kMode);
    if (opened < 0 && errno == EEXIST) opened = ::open(path_.c_str(), kFlags);
    if (opened < 0) return failed("cannot be opened: " + why(errno));
    struct stat status{};
    if (fstat(opened, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(opened);
        return failed("is no regular file");
    }
    if (descriptor_ >= 0) {
        // The line that the former file has a part of goes whole into this one.
        struct stat former{};
        const auto begun = static_cast<off_t>(begun_);
        if (begun != 0 && fstat(descriptor_, &former) == 0 && former.st_size >= begun) {
            [[maybe_unused]] const int cut = ftruncate(descriptor_, former.st_size - begun);
        }
        begun_ = 0;
        close(descriptor_);
    }
    descriptor_ = opened;
    return {};
}

std::expected<void, std::string> LogFile::write(std::string& lines) {
    size_t done = begun_;
    int error = 0;
    while (done < lines.size()) {
        const ssize_t written = ::write(descriptor_, lines.data() + done, lines.size() - done);
        if (written > 0) {
            done += static_cast<size_t>(written);
        } else if (written == 0 || errno != EINTR) {
            error = written == 0 ? ENOSPC : errno;
            break;
        }
    }
    const size_t end = lines.rfind('\n', done == 0 ? 0 : done - 1);
    const size_t whole = done == 0 || end == std::string::npos ? 0 : end + 1;
    begun_ = done - whole;
    lines.erase(0, whole);
    if (error != 0) return std::unexpected(why(error));
    return {};
}

}  // namespace edgecase::access_log
