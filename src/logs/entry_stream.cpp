#include "logs/entry_stream.hpp"

#include <algorithm>
#include <queue>
#include <span>

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

/// The lines of one edge file as requests.
class EdgeLines {
  public:
    EdgeLines(const EdgeLog& log, const KeyFields& fields)
        : reader_(edge_reader(log.format)), fields_(fields) {}
    bool read(std::string_view line, Likeness& item) {
        if (reader_->read(line, entry_) != Parsed::entry) return false;
        if (entry_.start == kNoTime && entry_.end == kNoTime) return false;
        if (entry_.start == kNoTime) entry_.start = entry_.end;
        item = likeness_of(entry_, fields_);
        return true;
    }

  private:
    std::unique_ptr<EdgeReader> reader_;
    KeyFields fields_;
    EdgeEntryView entry_;
};

/// The lines of one origin file as requests.
class OriginLines {
  public:
    OriginLines(const AccessLog& log, size_t index, const KeyFields& fields)
        : reader_(log.format->reader()), log_(index), fields_(fields) {}
    bool read(std::string_view line, Likeness& item) {
        entry_ = {};
        if (reader_->read(line, entry_) != Parsed::entry || entry_.time == kNoTime) return false;
        item = likeness_of(entry_, fields_);
        return true;
    }
    /// Of the line that was just read.
    OriginLine line(std::string_view text) const { return OriginLine::of(entry_, text, log_); }

  private:
    std::unique_ptr<AccessReader> reader_;
    size_t log_;
    KeyFields fields_;
    EntryView entry_;
};

/// One line after the other of a file.
class FileLines {
  public:
    explicit FileLines(const LogFile& file) : file_(file) {}

    /// nullopt: the end. Errors: one sentence.
    std::expected<std::optional<std::string_view>, std::string> next() {
        if (!source_) {
            auto opened = LineSource::open(file_.path);
            if (!opened) return std::unexpected(opened.error());
            source_ = std::move(*opened);
        }
        while (rest_.empty()) {
            const auto block = source_->next();
            if (!block) return std::unexpected(block.error());
            if (block->empty()) return std::nullopt;
            rest_ = *block;
        }
        const size_t end = rest_.find('\n');
        std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        return line;
    }

  private:
    const LogFile& file_;
    std::unique_ptr<LineSource> source_;
    std::string_view rest_;
};

template <typename Lines>
std::expected<FileOrder, std::string> visit_file(const LogFile& file, Lines lines,
                                                 const VisitLikeness& visit) {
    FileOrder order;
    Likeness item;
    FileLines texts(file);
    for (;;) {
        const auto text = texts.next();
        if (!text) return std::unexpected(text.error());
        if (!*text) return order;
        if (!lines.read(**text, item)) continue;
        order.add(item.to, item.first_byte == kNoTime ? item.to : item.first_byte);
        visit(item);
    }
}

/// What one side may hold to put its lines in order, all its files together.
constexpr size_t kMaximumHeldBytes = 96u << 20;

/// The requests of one file that are of interest, in order.
template <typename Item>
class FileCursor {
  public:
    virtual ~FileCursor() = default;
    /// False: the end, or an error.
    virtual bool advance() = 0;
    Item item;
    std::string error;
};

template <typename Item, typename Lines>
class LineCursor final : public FileCursor<Item> {
  public:
    LineCursor(const LogFile& file, Lines lines, std::optional<Moment> moment,
               const KeyTable& wanted, const FileOrder& order, size_t maximum_bytes)
        : texts_(file),
          lines_(std::move(lines)),
          moment_(moment),
          wanted_(wanted),
          in_order_(moment == Moment::start ? order.begin_disorder_us() : order.disorder_us(),
                    maximum_bytes) {}

    bool advance() override {
        while (!at_end_ && !in_order_.is_due()) {
            if (!read_one()) return false;
        }
        if (in_order_.empty()) return false;
        this->item = in_order_.take();
        return true;
    }

  private:
    bool read_one() {
        const auto text = texts_.next();
        if (!text) {
            this->error = text.error();
            return false;
        }
        if (!*text) {
            at_end_ = true;
            return true;
        }
        Likeness item;
        if (!lines_.read(**text, item)) return true;
        in_order_.see(item.to);
        if (wanted_.find(item.key) != KeyTable::kAbsent) put(item, **text);
        return true;
    }
    void put(const Likeness& item, std::string_view text)
        requires std::is_same_v<Item, OriginItem>
    {
        OriginLine line = lines_.line(text);
        const size_t bytes = sizeof(OriginItem) + line.text.capacity();
        in_order_.put({item, std::move(line)}, item.to, bytes);
    }
    void put(const Likeness& item, std::string_view)
        requires std::is_same_v<Item, Likeness>
    {
        const Likeness own = narrowed(item, moment_);
        in_order_.put(own, own.to, sizeof(Likeness));
    }

    FileLines texts_;
    Lines lines_;
    std::optional<Moment> moment_;
    const KeyTable& wanted_;
    InOrder<Item> in_order_;
    bool at_end_ = false;
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

    /// `begins`: the time of its earliest item; it is opened when that is reached.
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

/// Errors: one sentence.
std::expected<void, std::string> visit_store(const TraceInput& input, const KeyFields& fields,
                                             const VisitLikeness& visit) {
    return input.edge_store([&](const EdgeEntryView& entry) {
        if (entry.start != kNoTime) visit(likeness_of(entry, fields));
    });
}

/// The entries of interest of an edge that keeps no files, in memory.
class StoredCursor final : public FileCursor<Likeness> {
  public:
    StoredCursor(const TraceInput& input, const KeyFields& fields, std::optional<Moment> moment,
                 const KeyTable& wanted) {
        const auto visited = visit_store(input, fields, [&](const Likeness& one) {
            if (wanted.find(one.key) == KeyTable::kAbsent) return;
            items_.push_back(narrowed(one, moment));
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

/// `request`: an entry or a ray, which have these under the same names.
template <typename Request>
uint64_t identity(const Request& request) {
    if (request.ray != 0) return request.ray;
    uint64_t hash = 0xcbf29ce484222325u;
    for (const int64_t number : {request.start, request.end, int64_t{request.edge_status}}) {
        hash = (hash ^ static_cast<uint64_t>(number)) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    hash = mix(hash, request.method);
    hash = mix(hash, request.host);
    hash = mix(hash, request.client);
    // A ray's is cut.
    return mix(hash, request.uri.substr(0, EdgeRay::kMaximumUriBytes)) | 1;
}

}  // namespace

uint64_t identity_of(const EdgeEntryView& entry) {
    return identity(entry);
}
uint64_t identity_of(const EdgeRay& ray) {
    return identity(ray);
}

Likeness likeness_of(const EdgeEntryView& entry, const KeyFields& fields) {
    Likeness item;
    const LogTime end = entry.end == kNoTime ? entry.start : entry.end;
    item.from = entry.start;
    item.resolution_us = entry.resolution_us > 1000 ? entry.resolution_us : 0;
    item.to = end + item.resolution_us;
    item.first_byte = std::min(entry.start + std::max<int64_t>(0, entry.first_byte_ms) * 1000, end);
    item.key = key_of(entry.method, entry.uri, entry.user_agent, entry.host, fields);
    item.ray = entry.ray;
    item.id = identity_of(entry);
    item.client = hash_of(entry.client);
    item.address = hash_of(entry.edge_address);
    item.body_bytes = entry.response_body_bytes;
    if (entry.origin_ms >= 0) item.duration_us = entry.origin_ms * 1000;
    item.edge_status = entry.edge_status;
    item.status = entry.origin_status;
    return item;
}

Likeness narrowed(Likeness edge, std::optional<Moment> moment) {
    // The origin is done somewhere between the first byte and the last that a slow client took.
    if (moment == Moment::end) edge.from = edge.first_byte;
    if (moment == Moment::start) edge.to = edge.first_byte + edge.resolution_us;
    return edge;
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

std::expected<FileOrders, std::string> visit_edges(const TraceInput& input, const KeyFields& fields,
                                                   const VisitLikeness& visit) {
    FileOrders orders;
    for (const EdgeLog& log : input.edge) {
        for (const LogFile& file : log.files) {
            const auto order = visit_file(file, EdgeLines(log, fields), visit);
            if (!order) return std::unexpected(order.error());
            orders.push_back(*order);
        }
    }
    if (input.edge_store) {
        if (auto done = visit_store(input, fields, visit); !done) {
            return std::unexpected(done.error());
        }
    }
    return orders;
}

std::expected<FileOrders, std::string> visit_origins(const TraceInput& input,
                                                     const std::vector<size_t>& logs,
                                                     const KeyFields& fields,
                                                     const VisitLikeness& visit) {
    FileOrders orders;
    for (const size_t log : logs) {
        for (const LogFile& file : input.origin[log].files) {
            const auto order = visit_file(file, OriginLines(input.origin[log], log, fields), visit);
            if (!order) return std::unexpected(order.error());
            orders.push_back(*order);
        }
    }
    return orders;
}

std::unique_ptr<ItemStream<Likeness>> edge_stream(const TraceInput& input, const KeyFields& fields,
                                                  std::optional<Moment> moment,
                                                  const KeyTable& wanted,
                                                  const FileOrders& orders) {
    auto stream = std::make_unique<MergedStream<Likeness>>();
    const size_t maximum_bytes = kMaximumHeldBytes / std::max<size_t>(1, input.edge.size());
    size_t at = 0;
    for (const EdgeLog& log : input.edge) {
        for (const LogFile& file : log.files) {
            const FileOrder& order = orders[at++];
            stream->add(std::make_unique<LineCursor<Likeness, EdgeLines>>(
                            file, EdgeLines(log, fields), moment, wanted, order, maximum_bytes),
                        order.earliest());
        }
    }
    if (input.edge_store) {
        stream->add(std::make_unique<StoredCursor>(input, fields, moment, wanted), kNoTime);
    }
    return stream;
}

std::unique_ptr<ItemStream<OriginItem>> origin_stream(const TraceInput& input,
                                                      const std::vector<size_t>& logs,
                                                      const KeyFields& fields,
                                                      const KeyTable& wanted,
                                                      const FileOrders& orders) {
    auto stream = std::make_unique<MergedStream<OriginItem>>();
    const size_t maximum_bytes = kMaximumHeldBytes / std::max<size_t>(1, logs.size());
    size_t at = 0;
    for (const size_t log : logs) {
        for (const LogFile& file : input.origin[log].files) {
            const FileOrder& order = orders[at++];
            stream->add(std::make_unique<LineCursor<OriginItem, OriginLines>>(
                            file, OriginLines(input.origin[log], log, fields), std::nullopt, wanted,
                            order, maximum_bytes),
                        order.earliest());
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

std::optional<Moment> moment_of(const TraceInput& input, const std::vector<size_t>& logs) {
    std::optional<Moment> moment;
    for (const size_t log : logs) {
        if (!input.origin[log].format->moment_is_known()) return std::nullopt;
        const auto reader = input.origin[log].format->reader();
        std::optional<Moment> own;
        for (const LogFile& file : input.origin[log].files) {
            for (const std::string_view line : file.sample_lines()) {
                EntryView entry;
                if (!own && reader->read(line, entry) == Parsed::entry) own = entry.moment;
            }
        }
        if (own && moment && *own != *moment) return std::nullopt;
        if (own) moment = own;
    }
    return moment;
}

}  // namespace edgecase::logs
