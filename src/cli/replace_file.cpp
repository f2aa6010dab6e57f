#include "cli/replace_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace edgecase::cli {
namespace {

std::unexpected<std::string> failed(const std::string& path) {
    return std::unexpected(path + ": " + std::strerror(errno));
}

bool write_all(int descriptor, const std::string& content) {
    for (size_t at = 0; at < content.size();) {
        const ssize_t count = write(descriptor, content.data() + at, content.size() - at);
        if (count < 0) return false;
        at += static_cast<size_t>(count);
    }
    return fsync(descriptor) == 0;
}

/// Else the new name may be lost with the power.
void sync_folder(const std::string& path) {
    const size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    fsync(descriptor);
    close(descriptor);
}

/// `.NAME.new`: what includes all files of a folder leaves it out.
std::string beside(const std::string& path) {
    const size_t slash = path.rfind('/');
    const size_t name = slash == std::string::npos ? 0 : slash + 1;
    const bool is_hidden = path.substr(name).starts_with('.');
    return path.substr(0, name) + (is_hidden ? "" : ".") + path.substr(name) + ".new";
}

}  // namespace

std::expected<void, std::string> replace_file(const std::string& path, const std::string& content,
                                              const std::string& like) {
    const std::string temporary = beside(path);
    unlink(temporary.c_str());  // of a run that was killed
    const int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return failed(path);
    struct stat before{};
    const bool exists = stat(like.empty() ? path.c_str() : like.c_str(), &before) == 0;
    const mode_t mode = exists ? before.st_mode & 07777 : 0644;
    bool is_written = write_all(descriptor, content) && fchmod(descriptor, mode) == 0;
    // Only root can, and only root has to.
    if (exists && fchown(descriptor, before.st_uid, before.st_gid) != 0 && geteuid() == 0) {
        is_written = false;
    }
    is_written = close(descriptor) == 0 && is_written;
    if (!is_written || rename(temporary.c_str(), path.c_str()) != 0) {
        auto error = failed(path);
        unlink(temporary.c_str());
        return error;
    }
    sync_folder(path);
    return {};
}

}  // namespace edgecase::cli
