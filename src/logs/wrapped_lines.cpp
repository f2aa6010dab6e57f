#include "logs/wrapped_lines.hpp"

#include <algorithm>
#include <cstdlib>

#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

/// The word at the front, which is taken away with the spaces behind it.
std::string_view take_word(std::string_view& text) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
    return word;
}

std::string_view docker_line(std::string_view line, std::string& room) {
    constexpr std::string_view kBegin = R"({"log":)";
    if (!line.starts_with(kBegin) || line.find(R"("stream":)") == std::string_view::npos) {
        return {};
    }
    const size_t begin = line.find('"', kBegin.size());
    room.clear();
    for (size_t i = begin + 1; i < line.size() && line[i] != '"'; ++i) {
        if (line[i] != '\\' || i + 1 == line.size()) {
            room += line[i];
            continue;
        }
        const char c = line[++i];
        if (c == 'n' || c == 'r') continue;  // its end
        if (c == 'u' && i + 4 < line.size()) {
            // What Docker escapes so are control bytes and <, >, &.
            const std::string digits(line.substr(i + 1, 4));
            const unsigned long code = std::strtoul(digits.c_str(), nullptr, 16);
            room += code < 0x80 ? static_cast<char>(code) : '?';
            i += 4;
        } else {
            room += c == 't' ? '\t' : c;
        }
    }
    const size_t size = room.size();
    room.append(kLinePadding, '\0');
    return std::string_view(room).substr(0, size);
}

std::string_view cri_line(std::string_view line) {
    if (!iso_time(take_word(line))) return {};
    const std::string_view stream = take_word(line);
    if (stream != "stdout" && stream != "stderr") return {};
    const std::string_view part = take_word(line);
    return part == "F" || part == "P" ? line : std::string_view();
}

std::string_view journal_line(std::string_view line) {
    constexpr size_t kClock = 15;  // `Nov  1 10:00:00`
    if (line.size() > kClock && syslog_time(line.substr(0, kClock), 0)) {
        line.remove_prefix(kClock);
        while (line.starts_with(' ')) line.remove_prefix(1);
    } else if (!iso_time(take_word(line))) {
        return {};
    }
    take_word(line);  // the machine
    const std::string_view program = take_word(line);
    return program.ends_with(':') ? line : std::string_view();
}

class FramedReader final : public AccessReader {
  public:
    FramedReader(std::unique_ptr<AccessReader> inner, Frame frame)
        : inner_(std::move(inner)), frame_(frame) {}
    std::string_view format() const override { return inner_->format(); }
    bool may_have_ray() const override { return inner_->may_have_ray(); }
    Parsed read(std::string_view line, EntryView& into) override {
        if (line.empty()) return Parsed::nothing;
        const std::string_view own = unwrapped(frame_, line, room_);
        return own.empty() ? Parsed::failed : inner_->read(own, into);
    }
    Parsed read_time_and_ray(std::string_view line, EntryView& into) override {
        if (line.empty()) return Parsed::nothing;
        const std::string_view own = unwrapped(frame_, line, room_);
        return own.empty() ? Parsed::failed : inner_->read_time_and_ray(own, into);
    }

  private:
    std::unique_ptr<AccessReader> inner_;
    Frame frame_;
    std::string room_;
};

class FramedFormat final : public AccessFormat {
  public:
    FramedFormat(AccessFormatPtr inner, Frame frame)
        : inner_(std::move(inner)),
          frame_(frame),
          name_(std::string(inner_->name()) + (frame == Frame::docker ? " in Docker's JSON"
                                               : frame == Frame::cri  ? " in CRI lines"
                                                                      : " in the journal")) {}
    std::string_view name() const override { return name_; }
    bool moment_is_known() const override { return inner_->moment_is_known(); }
    std::unique_ptr<AccessReader> reader() const override {
        return std::make_unique<FramedReader>(inner_->reader(), frame_);
    }
    AccessFormatPtr in_zone(int64_t zone_us) const override {
        AccessFormatPtr zoned = inner_->in_zone(zone_us);
        return zoned ? framed(std::move(zoned), frame_) : nullptr;
    }

  private:
    AccessFormatPtr inner_;
    Frame frame_;
    std::string name_;
};

}  // namespace

std::string_view unwrapped(Frame frame, std::string_view line, std::string& room) {
    switch (frame) {
        case Frame::none:
            return line;
        case Frame::docker:
            return docker_line(line, room);
        case Frame::cri:
            return cri_line(line);
        case Frame::journal:
            return journal_line(line);
    }
    return {};
}

Frame frame_of(std::span<const std::string_view> lines) {
    std::string room;
    for (const Frame frame : {Frame::docker, Frame::cri, Frame::journal}) {
        const auto framed_lines = static_cast<size_t>(std::ranges::count_if(
            lines, [&](std::string_view line) { return !unwrapped(frame, line, room).empty(); }));
        // The journal has lines of its own: `-- Boot ...`.
        if (framed_lines > 0 && framed_lines * 10 >= lines.size() * 9) return frame;
    }
    return Frame::none;
}

AccessFormatPtr framed(AccessFormatPtr format, Frame frame) {
    return std::make_shared<FramedFormat>(std::move(format), frame);
}

}  // namespace edgecase::logs
