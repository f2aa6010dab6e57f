#include "logs/entry_stream.hpp"

#include <algorithm>
#include <queue>

namespace edgecase::logs {
namespace {

uint64_t mix(uint64_t hash, std::string_view text) {
    // FNV-1a by eights would do as well: keys are short, and nobody gains by a collision but
    // a wrong candidate more.
    for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
    return (hash ^ 0xff) * 0x100000001b3u;
}

uint64_t hash_of(std::string_view text) {
    return text.empty() || text == "-" ? 0 : mix(0xcbf29ce484222325u, text) | 1;
}

uint64_t key_of(std::string_view method, std::string_view uri, std::string_view user_agent,
                std::string_view host, const KeyFields& fields) {
    uint64_t hash = mix(0xcbf29ce484222325u, method);
    hash = mix(hash, uri.substr(0, uri.find('#')));
    if (fields.user_agent) hash = mix(hash, user_agent == "-" ? "" : user_agent);
    if (fields.host) hash = mix(hash, host.substr(0, host.find(':')));
    return hash;
}

/// The requests of one file.
template <typename Item>
class FileCursor {
  public:
    virtual ~FileCursor() = default;
    /// False: the end, or an error.
    virtual bool advance() = 0;
    Item item;
    std::string error;
};

/// Reads the lines of a file until one makes an item.
template <typename Item, typename Take>
class LineCursor final : public FileCursor<Item> {
  public:
    LineCursor(const LogFile& file, Take take) : file_(file), take_(std::move(take)) {}

    bool advance() override {
        if (!source_) {
            auto opened = LineSource::open(file_.path);
            if (!opened) {
                this->error = opened.error();
                return false;
            }
            source_ = std::move(*opened);
        }
        for (;;) {
            while (rest_.empty()) {
                const auto block = source_->next();
                if (!block) this->error = block.error();
                if (!block || block->empty()) return false;
                rest_ = *block;
            }
            const size_t end = rest_.find('\n');
            std::string_view line = rest_.substr(0, end);
            rest_.remove_prefix(end + 1);
            if (line.ends_with('\r')) line.remove_suffix(1);
            if (take_(line, this->item)) return true;
        }
    }

  private:
    const LogFile& file_;
    Take take_;
    std::unique_ptr<LineSource> source_;
    std::string_view rest_;
};

LogTime time_of(const Likeness& item) {
    return item.to;
}
LogTime time_of(const OriginItem& item) {
    return item.likeness.to;
}

/// Rotated files of one log follow each other; logs stand side by side.
template <typename Item>
class MergedStream final : public ItemStream<Item> {
  public:
    using Cursor = FileCursor<Item>;

    /// `begins`: the time of its first item; it is opened when that is reached.
    void add(std::unique_ptr<Cursor> cursor, LogTime begins) {
        order_.emplace(begins, cursors_.size());
        cursors_.push_back(std::move(cursor));
        opened_.push_back(false);
    }

    std::expected<std::optional<Item>, std::string> next() override {
        for (;;) {
            if (!error_.empty()) return std::unexpected(error_);
            if (order_.empty()) return std::nullopt;
            const size_t first = order_.top().second;
            order_.pop();
            if (!opened_[first]) {
                opened_[first] = true;
                advance(first);
                continue;
            }
            Item item = std::move(cursors_[first]->item);
            advance(first);
            return item;
        }
    }

  private:
    void advance(size_t i) {
        if (cursors_[i]->advance()) {
            order_.emplace(time_of(cursors_[i]->item), i);
            return;
        }
        if (!cursors_[i]->error.empty()) error_ = cursors_[i]->error;
        cursors_[i].reset();  // its buffers are of no more use
    }

    using Place = std::pair<LogTime, size_t>;
    std::vector<std::unique_ptr<Cursor>> cursors_;
    std::priority_queue<Place, std::vector<Place>, std::greater<>> order_;
    std::string error_;
    std::vector<bool> opened_;
};

/// All entries of an edge that keeps no files, in memory.
class StoredCursor final : public FileCursor<Likeness> {
  public:
    StoredCursor(const VisitEntries& visit, const KeyFields& fields, Moment moment) {
        const auto visited = visit([&](const EdgeEntryView& entry) {
            items_.push_back(likeness_of(entry, fields, moment));
        });
        if (!visited) error = visited.error();
        std::ranges::sort(items_, {}, &Likeness::to);
    }
    bool advance() override {
        if (next_ == items_.size()) return false;
        item = items_[next_++];
        return true;
    }

  private:
    std::vector<Likeness> items_;
    size_t next_ = 0;
};

/// The time of the first item among a file's first lines.
template <typename Item, typename Take>
LogTime begin_of(const LogFile& file, Take take) {
    Item item;
    for (const std::string_view line : file.sample_lines()) {
        if (take(line, item)) return time_of(item);
    }
    return kNoTime;
}

template <typename Item, typename Take>
std::unique_ptr<FileCursor<Item>> cursor_of(const LogFile& file, Take take) {
    return std::make_unique<LineCursor<Item, Take>>(file, std::move(take));
}

}  // namespace

Likeness likeness_of(const EdgeEntryView& entry, const KeyFields& fields, Moment moment) {
    Likeness item;
    const LogTime end = entry.end == kNoTime ? entry.start : entry.end;
    const int64_t first_byte = std::max<int64_t>(0, entry.first_byte_ms) * 1000;
    // The origin is done somewhere between the first byte and the last that a slow client took.
    item.from = moment == Moment::start ? entry.start : std::min(entry.start + first_byte, end);
    item.to = moment == Moment::start
                  ? std::min(entry.start + std::max<int64_t>(0, first_byte), end)
                  : end;
    item.to += entry.resolution_us > 1000 ? entry.resolution_us : 0;
    item.key = key_of(entry.method, entry.uri, entry.user_agent, entry.host, fields);
    item.ray = entry.ray;
    item.client = hash_of(entry.client);
    item.address = hash_of(entry.edge_address);
    item.body_bytes = entry.response_body_bytes;
    if (entry.origin_ms >= 0) item.duration_us = entry.origin_ms * 1000;
    item.edge_status = entry.edge_status;
    item.status = entry.origin_status;
    return item;
}

Likeness likeness_of(const EntryView& entry, const KeyFields& fields) {
    Likeness item;
    item.from = entry.time;
    item.to = entry.time + entry.resolution_us;
    item.key = key_of(entry.method, entry.uri, entry.user_agent, entry.host, fields);
    item.ray = entry.ray;
    item.client = hash_of(entry.forwarded);
    item.address = hash_of(entry.client);
    item.body_bytes = entry.body_bytes;
    item.duration_us = entry.duration_us;
    item.status = entry.status;
    return item;
}

std::unique_ptr<ItemStream<Likeness>> edge_stream(const TraceInput& input, const KeyFields& fields,
                                                  Moment moment) {
    auto stream = std::make_unique<MergedStream<Likeness>>();
    for (const EdgeLog& log : input.edge) {
        for (const LogFile& file : log.files) {
            std::shared_ptr<EdgeReader> reader = edge_reader(log.format);
            const auto take = [reader, fields, moment](std::string_view line, Likeness& item) {
                EdgeEntryView entry;
                if (reader->read(line, entry) != Parsed::entry) return false;
                if (entry.start == kNoTime && entry.end == kNoTime) return false;
                if (entry.start == kNoTime) entry.start = entry.end;
                item = likeness_of(entry, fields, moment);
                return true;
            };
            stream->add(cursor_of<Likeness>(file, take), begin_of<Likeness>(file, take));
        }
    }
    if (input.edge_store) {
        stream->add(std::make_unique<StoredCursor>(input.edge_store, fields, moment), kNoTime);
    }
    return stream;
}

std::unique_ptr<ItemStream<OriginItem>> origin_stream(const TraceInput& input,
                                                      const std::vector<size_t>& logs,
                                                      const KeyFields& fields) {
    auto stream = std::make_unique<MergedStream<OriginItem>>();
    for (const size_t log : logs) {
        for (const LogFile& file : input.origin[log].files) {
            std::shared_ptr<AccessReader> reader = input.origin[log].format->reader();
            const auto take = [reader, fields, log](std::string_view line, OriginItem& item) {
                EntryView entry;
                if (reader->read(line, entry) != Parsed::entry) return false;
                if (entry.time == kNoTime) return false;
                item.likeness = likeness_of(entry, fields);
                item.line = OriginLine::of(entry, line, log);
                return true;
            };
            stream->add(cursor_of<OriginItem>(file, take), begin_of<OriginItem>(file, take));
        }
    }
    return stream;
}

KeyFields key_fields_of(const TraceInput& input, const std::vector<size_t>& logs) {
    KeyFields fields{true, true};
    for (const size_t log : logs) {
        bool user_agent = false;
        bool host = false;
        const auto reader = input.origin[log].format->reader();
        for (const LogFile& file : input.origin[log].files) {
            for (const std::string_view line : file.sample_lines()) {
                EntryView entry;
                if (reader->read(line, entry) != Parsed::entry) continue;
                user_agent = user_agent || (!entry.user_agent.empty() && entry.user_agent != "-");
                host = host || !entry.host.empty();
            }
        }
        fields.user_agent = fields.user_agent && user_agent;
        fields.host = fields.host && host;
    }
    bool user_agent = input.edge.empty();
    bool host = input.edge.empty();
    for (const EdgeLog& log : input.edge) {
        const auto reader = edge_reader(log.format);
        for (const LogFile& file : log.files) {
            for (const std::string_view line : file.sample_lines()) {
                EdgeEntryView entry;
                if (reader->read(line, entry) != Parsed::entry) continue;
                user_agent = user_agent || !entry.user_agent.empty();
                host = host || !entry.host.empty();
            }
        }
    }
    return {fields.user_agent && user_agent, fields.host && host};
}

Moment moment_of(const TraceInput& input, const std::vector<size_t>& logs) {
    for (const size_t log : logs) {
        const auto reader = input.origin[log].format->reader();
        for (const LogFile& file : input.origin[log].files) {
            for (const std::string_view line : file.sample_lines()) {
                EntryView entry;
                if (reader->read(line, entry) == Parsed::entry) return entry.moment;
            }
        }
    }
    return Moment::end;
}

}  // namespace edgecase::logs
