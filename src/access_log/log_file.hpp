// Owns the file of an access log: whole lines at its end, whatever becomes of the disk.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

namespace edgecase::access_log {

/// For one thread, the only one that writes to the file. Of a line that fitted only partly on a
/// full disk the rest follows later, or the whole of it in the next file.
class LogFile {
  public:
    explicit LogFile(std::string path) : path_(std::move(path)) {}
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;
    ~LogFile();

    /// Opens the file at the path, made with mode 0640 if it is not there, and closes the one that
    /// was open. On an error that one stays. Errors: one sentence that names the path.
    std::expected<void, std::string> open();

    /// Whole lines, the last one ended. Lines that were written are taken off the front; none is
    /// left unless there is an error. Errors: why, in a few words; call again with what is left.
    std::expected<void, std::string> write(std::string& lines);

  private:
    const std::string path_;
    int descriptor_ = -1;
    size_t begun_ = 0;  // bytes that the file has of the first line that write() left
};

}  // namespace edgecase::access_log
