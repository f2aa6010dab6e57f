#include "logs/line_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

namespace edgecase::logs {
namespace {

using Status = std::expected<void, std::string>;
using Count = std::expected<size_t, std::string>;

constexpr size_t kBlockBytes = 256 * 1024;  // stays in a processor's own cache
constexpr size_t kPackedBytes = 256 * 1024;

std::unexpected<std::string> trouble(const std::string& path, const char* what) {
    return std::unexpected(path + ": " + what);
}

/// A descriptor and its name.
struct File {
    File(std::string p, int f) : path(std::move(p)), fd(f) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd >= 0) ::close(fd);
    }
    Count read(char* into, size_t size) const {
        for (;;) {
            const ssize_t got = ::read(fd, into, size);
            if (got >= 0) return static_cast<size_t>(got);
            if (errno != EINTR) return trouble(path, std::strerror(errno));
        }
    }
    std::string path;
    int fd;
};

/// The bytes of the file as it stands, the first ones given back after they were looked at.
class RawBytes {
  public:
    explicit RawBytes(std::unique_ptr<File> file) : file_(std::move(file)) {}

    Count read(char* into, size_t size) {
        if (!looked_at_.empty()) {
            const size_t count = std::min(size, looked_at_.size());
            std::memcpy(into, looked_at_.data(), count);
            looked_at_.erase(0, count);
            return count;
        }
        const Count got = file_->read(into, size);
        if (!got) return got;
        taken_ += *got;
        return got;
    }

    /// The first bytes, up to four.
    std::expected<std::string, std::string> look() {
        while (looked_at_.size() < 4) {
            std::array<char, 4> bytes{};
            const Count got = file_->read(bytes.data(), bytes.size());
            if (!got) return std::unexpected(got.error());
            if (*got == 0) break;
            taken_ += *got;
            looked_at_.append(bytes.data(), *got);
        }
        return looked_at_;
    }

    Status rewind(uint64_t to) {
        looked_at_.clear();
        taken_ = 0;
        if (::lseek(file_->fd, static_cast<off_t>(to), SEEK_SET) < 0) {
            return trouble(file_->path, "cannot be read twice");
        }
        return {};
    }

    const std::string& path() const { return file_->path; }
    uint64_t taken() const { return taken_; }

  private:
    std::unique_ptr<File> file_;
    std::string looked_at_;
    uint64_t taken_ = 0;
};

/// What unpacks: bytes in, bytes out.
class Unpacker {
  public:
    virtual ~Unpacker() = default;
    /// 0: the end. Sets `damage` and ends where the file is broken.
    virtual Count read(char* into, size_t size, std::string& damage) = 0;
};

class PlainBytes final : public Unpacker {
  public:
    explicit PlainBytes(RawBytes& raw) : raw_(raw) {}
    Count read(char* into, size_t size, std::string&) override { return raw_.read(into, size); }

  private:
    RawBytes& raw_;
};

class GzipBytes final : public Unpacker {
  public:
    explicit GzipBytes(RawBytes& raw) : raw_(raw), packed_(kPackedBytes) {
        inflateInit2(&stream_, 15 + 16);
    }
    ~GzipBytes() override { inflateEnd(&stream_); }

    Count read(char* into, size_t size, std::string& damage) override {
        stream_.next_out = reinterpret_cast<Bytef*>(into);
        stream_.avail_out = static_cast<uInt>(size);
        while (stream_.avail_out == size) {
            if (stream_.avail_in == 0) {
                const Count got = raw_.read(packed_.data(), packed_.size());
                if (!got) return got;
                if (*got == 0) {
                    if (!between_) damage = "the gzip data ends early";
                    return size_t{0};
                }
                stream_.next_in = reinterpret_cast<Bytef*>(packed_.data());
                stream_.avail_in = static_cast<uInt>(*got);
            }
            if (between_ && skip_padding()) continue;
            if (between_) inflateReset(&stream_);  // rotated logs are often several gzip files
            between_ = false;
            const int status = inflate(&stream_, Z_NO_FLUSH);
            if (status == Z_STREAM_END) {
                between_ = true;
            } else if (status != Z_OK && status != Z_BUF_ERROR) {
                damage = "the gzip data is damaged";
                return size - stream_.avail_out;
            }
        }
        return size - stream_.avail_out;
    }

  private:
    /// Tapes and block stores pad files with zeros, which begin no member. True: nothing is left.
    bool skip_padding() {
        while (stream_.avail_in > 0 && *stream_.next_in == 0) {
            ++stream_.next_in;
            --stream_.avail_in;
        }
        return stream_.avail_in == 0;
    }

    RawBytes& raw_;
    std::vector<char> packed_;
    z_stream stream_{};
    bool between_ = true;
};

class ZstdBytes final : public Unpacker {
  public:
    explicit ZstdBytes(RawBytes& raw)
        : raw_(raw), packed_(kPackedBytes), stream_(ZSTD_createDStream()) {
        ZSTD_initDStream(stream_);
        // Frames may ask for any window; a log's never needs more than zstd --ultra gives.
        ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 27);
    }
    ~ZstdBytes() override { ZSTD_freeDStream(stream_); }

    Count read(char* into, size_t size, std::string& damage) override {
        ZSTD_outBuffer out{into, size, 0};
        while (out.pos == 0) {
            if (in_.pos == in_.size) {
                const Count got = raw_.read(packed_.data(), packed_.size());
                if (!got) return got;
                if (*got == 0) {
                    if (!between_) damage = "the zstd data ends early";
                    return size_t{0};
                }
                in_ = {packed_.data(), *got, 0};
            }
            const size_t left = ZSTD_decompressStream(stream_, &out, &in_);
            if (ZSTD_isError(left) != 0) {
                damage = "the zstd data is damaged";
                return out.pos;
            }
            between_ = left == 0;
        }
        return out.pos;
    }

  private:
    RawBytes& raw_;
    std::vector<char> packed_;
    ZSTD_DStream* stream_;
    ZSTD_inBuffer in_{nullptr, 0, 0};
    bool between_ = true;
};

class FileLines final : public LineSource {
  public:
    explicit FileLines(std::unique_ptr<File> file) : raw_(std::move(file)) {}

    Status begin() {
        auto first = raw_.look();
        if (!first) return std::unexpected(first.error());
        if (first->starts_with("\x1f\x8b")) packing_ = Packing::gzip;
        if (first->starts_with("\x28\xb5\x2f\xfd")) packing_ = Packing::zstd;
        make_unpacker();
        return {};
    }

    /// Lines that begin from there on; the one under way belongs to whoever has its beginning.
    Status begin_at(uint64_t from, uint64_t to) {
        from_ = from;
        to_ = to;
        make_unpacker();
        return rewind();
    }

    std::expected<std::string_view, std::string> next() override {
        if (buffer_ == nullptr) buffer_ = std::make_unique_for_overwrite<char[]>(kBufferBytes);
        // What was behind the last whole line moves to the front.
        std::memmove(buffer_.get(), buffer_.get() + given_, filled_ - given_);
        filled_ -= given_;
        given_ = 0;
        while (!at_end_) {
            const size_t room = std::min(kBlockBytes, kBufferBytes - kLinePadding - 1 - filled_);
            const Count got = unpacker_->read(buffer_.get() + filled_, room, damage_);
            if (!got) return std::unexpected(got.error());
            if (*got == 0) at_end_ = true;
            const size_t before = filled_;
            filled_ += *got;
            if (before == 0) skip_hole();
            if (!skip_rest(before)) continue;
            const size_t last = std::string_view(buffer_.get(), filled_).rfind('\n');
            if (last != std::string_view::npos) return give(last + 1);
            if (filled_ >= kMaximumLineBytes) return cut();
        }
        if (filled_ == 0) return std::string_view();
        if (buffer_[filled_ - 1] != '\n') buffer_[filled_++] = '\n';
        return give(filled_);
    }

    Status rewind() override {
        // One byte more: a line that begins right at `from_` is ours, one under way is not.
        const uint64_t at = from_ > 0 ? from_ - 1 : 0;
        if (auto done = raw_.rewind(at); !done) return done;
        position_ = at;
        skipping_ = from_ > 0;
        given_ = filled_ = 0;
        at_end_ = false;
        damage_.clear();
        cut_ = 0;
        make_unpacker();
        return {};
    }
    Packing packing() const override { return packing_; }
    uint64_t bytes_taken() const override { return raw_.taken(); }
    uint64_t lines_cut() const override { return cut_; }
    const std::string& damage() const override { return damage_; }

  private:
    void make_unpacker() {
        if (packing_ == Packing::gzip) {
            unpacker_ = std::make_unique<GzipBytes>(raw_);
        } else if (packing_ == Packing::zstd) {
            unpacker_ = std::make_unique<ZstdBytes>(raw_);
        } else {
            unpacker_ = std::make_unique<PlainBytes>(raw_);
        }
    }

    /// A log that was truncated under its writer begins with a hole, which reads as zeros.
    void skip_hole() {
        size_t zeros = 0;
        while (zeros < filled_ && buffer_[zeros] == '\0') ++zeros;
        if (zeros == 0) return;
        std::memmove(buffer_.get(), buffer_.get() + zeros, filled_ - zeros);
        filled_ -= zeros;
        position_ += zeros;
    }

    /// Of a line that is not ours or was cut. False: it is not over yet.
    bool skip_rest(size_t from) {
        if (!skipping_) return true;
        const size_t end = std::string_view(buffer_.get(), filled_).find('\n', from);
        if (end == std::string_view::npos) {
            position_ += filled_ - from;
            filled_ = from;
            return false;
        }
        skipping_ = false;
        const size_t rest = filled_ - end - 1;
        position_ += end + 1 - from;
        std::memmove(buffer_.get() + from, buffer_.get() + end + 1, rest);
        filled_ = from + rest;
        return true;
    }

    std::string_view cut() {
        ++cut_;
        skipping_ = true;
        position_ += filled_;
        buffer_[filled_ - 1] = '\n';
        given_ = filled_;
        return {buffer_.get(), filled_};
    }

    std::string_view give(size_t size) {
        given_ = size;
        std::string_view block(buffer_.get(), size);
        if (position_ + size > to_) {
            // The last line of ours is the one that begins before `to_`.
            size_t end = 0;
            while (end < size && position_ + end < to_) end = block.find('\n', end) + 1;
            block = block.substr(0, end);
            at_end_ = true;
            filled_ = given_ = size = end;
        }
        position_ += size;
        return block;
    }

    RawBytes raw_;
    Packing packing_ = Packing::plain;
    std::unique_ptr<Unpacker> unpacker_;
    static constexpr size_t kBufferBytes = kMaximumLineBytes + kBlockBytes + kLinePadding;
    std::unique_ptr<char[]> buffer_;
    size_t given_ = 0;
    size_t filled_ = 0;
    bool at_end_ = false;
    bool skipping_ = false;
    uint64_t from_ = 0;
    uint64_t to_ = UINT64_MAX;
    uint64_t position_ = 0;  // in the unpacked bytes, of the front of the buffer
    uint64_t cut_ = 0;
    std::string damage_;
};

std::expected<std::unique_ptr<File>, std::string> open_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return trouble(path, std::strerror(errno));
    auto file = std::make_unique<File>(path, fd);
    struct stat facts{};
    if (::fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        return trouble(path, "is a directory, name the log files in it");
    }
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return file;
}

}  // namespace

std::expected<std::unique_ptr<LineSource>, std::string> LineSource::open(const std::string& path) {
    auto file = open_file(path);
    if (!file) return std::unexpected(file.error());
    auto lines = std::make_unique<FileLines>(std::move(*file));
    if (auto begun = lines->begin(); !begun) return std::unexpected(begun.error());
    return lines;
}

std::expected<std::unique_ptr<LineSource>, std::string> LineSource::open(const std::string& path,
                                                                         uint64_t from,
                                                                         uint64_t to) {
    auto file = open_file(path);
    if (!file) return std::unexpected(file.error());
    auto lines = std::make_unique<FileLines>(std::move(*file));
    if (auto begun = lines->begin_at(from, to); !begun) return std::unexpected(begun.error());
    return lines;
}

std::expected<std::string, std::string> spool_file(const std::string& path) {
    const bool standard = path == "-";
    const std::string shown = standard ? "standard input" : path;
    const File input(shown,
                     standard ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (input.fd < 0) return trouble(shown, std::strerror(errno));
    std::error_code error;
    std::string name = std::filesystem::temp_directory_path(error).string() + "/edgecase-XXXXXX";
    const int fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) return trouble(name, "cannot be made, to keep a pipe's data and read it twice");
    ::unlink(name.c_str());
    std::vector<char> bytes(kPackedBytes);
    for (;;) {
        const Count got = input.read(bytes.data(), bytes.size());
        if (!got) return std::unexpected(got.error());
        if (*got == 0) return "/proc/self/fd/" + std::to_string(fd);
        for (size_t at = 0; at < *got;) {
            const ssize_t put = ::write(fd, bytes.data() + at, *got - at);
            if (put < 0 && errno == EINTR) continue;
            if (put <= 0) return trouble(name, "no room to keep a pipe's data and read it twice");
            at += static_cast<size_t>(put);
        }
    }
}

bool is_read_once(const std::string& path) {
    struct stat facts{};
    if (path == "-") return true;
    return ::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode);
}

}  // namespace edgecase::logs
