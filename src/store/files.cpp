#include "store/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace edgecase::store {
namespace {

constexpr mode_t kForOthers = 0077;

std::string errno_text(int error) {
    switch (error) {
        case EACCES:
            return "permission denied";
        case ENOTDIR:
            return "part of the path is a file, not a directory";
        case ENOENT:
            return "no such file or directory";
        case EROFS:
            return "the file system is read-only";
        case ENOSPC:
            return "no space left on the device";
        case EISDIR:
            return "it is a directory";
        case ELOOP:
            return "it is a symbolic link";
        default:
            return std::strerror(error);  // NOLINT(concurrency-mt-unsafe): at start only
    }
}

/// For readers, who are often somebody else than the edge.
std::string reading_error(const std::filesystem::path& path, int error) {
    std::string text = "cannot read " + path.string() + ": " + errno_text(error);
    if (error == EACCES) text += "; run this as the user that runs the edge";
    return text;
}

DatabaseError failed(std::string message, int error = 0) {
    const bool is_full = error == ENOSPC || error == EDQUOT;
    if (error != 0) message += ": " + errno_text(error);
    return {is_full ? DatabaseError::Kind::full : DatabaseError::Kind::other, std::move(message)};
}

/// Like mkdir -p, but what it makes is for the owner alone.
std::expected<void, DatabaseError> make_directory(const std::filesystem::path& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (std::filesystem::is_directory(status)) return {};
    if (std::filesystem::exists(status)) {
        return std::unexpected(failed("data directory " + path.string() +
                                      ": there is a file of that name, not a directory"));
    }
    const auto parent = path.parent_path();
    if (!parent.empty() && parent != path) {
        if (auto made = make_directory(parent); !made) return made;
    }
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return std::unexpected(failed("cannot create data directory " + path.string(), errno));
    }
    return {};
}

bool is_ours(const std::filesystem::path& path) {
    return path.filename().string().starts_with(kFileName);
}

/// A directory that serves others too keeps its permissions: it may be /tmp.
void tighten_directory(const std::filesystem::path& path, const Log& log) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0 || (status.st_mode & kForOthers) == 0) return;
    std::error_code error;
    std::filesystem::directory_iterator entries(path, error);
    bool only_ours = !error && status.st_uid == ::geteuid();
    for (; only_ours && entries != std::filesystem::directory_iterator();
         entries.increment(error)) {
        only_ours = !error && is_ours(entries->path());
    }
    if (only_ours && ::chmod(path.c_str(), 0700) == 0) {
        log("data directory " + path.string() + " was open to other users; it is now 0700");
    } else if ((status.st_mode & 0022) != 0 && (status.st_mode & S_ISVTX) == 0) {
        log("data directory " + path.string() +
            " can be written by other users, who could replace the records; chmod 700 it");
    }
}

std::expected<void, DatabaseError> make_file(const std::filesystem::path& file, const Log& log) {
    // Without O_NONBLOCK a pipe of that name would wait for somebody at its other end.
    const int descriptor = ::open(
        file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (descriptor < 0) return std::unexpected(failed("cannot write " + file.string(), errno));
    struct stat status{};
    const bool is_regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    if (is_regular && (status.st_mode & kForOthers) != 0) {
        log(file.string() + (::fchmod(descriptor, 0600) == 0
                                 ? " was open to other users; it is now 0600"
                                 : " is open to other users and belongs to one; chmod 600 it"));
    }
    ::close(descriptor);
    if (!is_regular) {
        return std::unexpected(failed("cannot write " + file.string() + ": it is no regular file"));
    }
    // SQLite gives these the mode of the file, but only when it makes them.
    for (const char* suffix : {"-wal", "-shm"}) {
        const std::string beside = file.string() + suffix;
        if (::lstat(beside.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
            (status.st_mode & kForOthers) != 0) {
            ::chmod(beside.c_str(), 0600);
        }
    }
    return {};
}

}  // namespace

std::expected<void, DatabaseError> prepare_files(const std::filesystem::path& data_dir,
                                                 const Log& log) {
    if (data_dir.empty()) return std::unexpected(failed("the data directory has an empty name"));
    if (auto made = make_directory(data_dir); !made) return made;
    if (auto made = make_file(data_dir / kFileName, log); !made) return made;
    tighten_directory(data_dir, log);
    return {};
}

std::expected<void, std::string> check_readable(const std::filesystem::path& data_dir) {
    struct stat status{};
    if (::stat(data_dir.c_str(), &status) != 0) {
        if (errno != ENOENT) return std::unexpected(reading_error(data_dir, errno));
        return std::unexpected("data directory " + data_dir.string() + " does not exist");
    }
    if (!S_ISDIR(status.st_mode)) {
        return std::unexpected("data directory " + data_dir.string() + " is not a directory");
    }
    const auto file = data_dir / kFileName;
    if (::lstat(file.c_str(), &status) != 0) {
        if (errno != ENOENT) return std::unexpected(reading_error(file, errno));
        return std::unexpected("data directory " + data_dir.string() + " holds no record store (" +
                               std::string(kFileName) + ")");
    }
    if (!S_ISREG(status.st_mode)) {
        return std::unexpected("cannot read " + file.string() + ": it is no regular file");
    }
    if (::access(file.c_str(), R_OK) != 0) return std::unexpected(reading_error(file, errno));
    return {};
}

}  // namespace edgecase::store
