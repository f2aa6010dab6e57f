#include "store/outbox.hpp"

#include <limits>
#include <utility>

#include "store/schema.hpp"

namespace edgecase::store {
namespace {

constexpr const char* kCases =
    "SELECT o.place, 1, c.bytes FROM case_order o LEFT JOIN cases c ON c.ray = o.ray "
    "WHERE o.place >= ?1 AND o.place <= ?2 ORDER BY o.place";
constexpr const char* kSuccesses =
    "SELECT id, count, bytes FROM blocks WHERE id >= ?1 AND id <= ?2 ORDER BY id";

std::string number(int64_t value) {
    return std::to_string(value);
}

std::string key_of(Parcel::Kind kind, int64_t first) {
    return "kind = " + number(static_cast<int64_t>(kind)) + " AND first = " + number(first);
}

}  // namespace

std::expected<Outbox, std::string> Outbox::open(const std::filesystem::path& data_dir) {
    const auto file = data_dir / kFileName;
    if (const auto readable = open_for_reading(data_dir); !readable) {
        return std::unexpected(readable.error());
    }
    auto database = Database::open(file, Database::Mode::write);
    if (!database) {
        return std::unexpected("cannot use record store " + file.string() + ": " +
                               database.error().message);
    }
    Outbox outbox(std::move(*database), file.string());
    if (auto done = outbox.note("PRAGMA synchronous = NORMAL"); !done) {
        return std::unexpected(std::move(done.error()));
    }
    return outbox;
}

std::expected<Parcel, std::string> Outbox::next(Parcel::Kind kind, size_t bytes) {
    const auto position = database_.number("SELECT position FROM shipped WHERE kind = " +
                                           number(static_cast<int64_t>(kind)));
    if (!position) return std::unexpected(sentence(position.error()));
    return read(kind, *position + 1, std::numeric_limits<int64_t>::max(), bytes);
}

std::expected<Parcel, std::string> Outbox::again(const Sent& sent) {
    return read(sent.kind, sent.first, sent.last, std::numeric_limits<size_t>::max());
}

std::expected<Parcel, std::string> Outbox::read(Parcel::Kind kind, int64_t first, int64_t last,
                                                size_t bytes) {
    auto statement = database_.prepare(kind == Parcel::Kind::cases ? kCases : kSuccesses);
    if (!statement) return std::unexpected(sentence(statement.error()));
    statement->bind(0, first).bind(1, last);
    Parcel parcel;
    parcel.kind = kind;
    while (parcel.bytes.size() < bytes) {
        const auto row = statement->step();
        if (!row) return std::unexpected(sentence(row.error()));
        if (!*row) break;
        if (parcel.first == 0) parcel.first = statement->integer(0);
        parcel.last = statement->integer(0);
        if (statement->bytes(2).empty()) {  // removed by retention
            ++parcel.gone;
            continue;
        }
        const auto records = static_cast<uint64_t>(statement->integer(1));
        parcel.records += records;
        parcel.rows.push_back({.bytes = statement->bytes(2).size(), .records = records});
        parcel.bytes += statement->bytes(2);
    }
    return parcel;
}

std::expected<void, std::string> Outbox::sending(const Parcel& parcel, const std::string& where) {
    auto statement = database_.prepare(
        "INSERT OR REPLACE INTO sent (kind, first, last, records, server) VALUES (?1, ?2, ?3, "
        "max(?4, coalesce((SELECT records FROM sent WHERE kind = ?1 AND first = ?2), 0)), ?5)");
    if (!statement) return std::unexpected(sentence(statement.error()));
    if (auto begun = note("BEGIN IMMEDIATE"); !begun) return begun;
    const auto put = statement->bind(0, static_cast<int64_t>(parcel.kind))
                         .bind(1, parcel.first)
                         .bind(2, parcel.last)
                         .bind(3, static_cast<int64_t>(parcel.records))
                         .bind_blob(4, where)
                         .step();
    auto done = put ? std::expected<void, std::string>() : std::unexpected(sentence(put.error()));
    if (done) {
        done = note("UPDATE shipped SET position = max(position, " + number(parcel.last) +
                    ") WHERE kind = " + number(static_cast<int64_t>(parcel.kind)));
    }
    if (done) done = note("COMMIT");
    if (!done) (void)database_.run("ROLLBACK");
    return done;
}

std::expected<void, std::string> Outbox::came_back(const Parcel& parcel) {
    return note("UPDATE sent SET server = x'' WHERE " + key_of(parcel.kind, parcel.first));
}

std::expected<void, std::string> Outbox::acknowledged(const Parcel& parcel) {
    return note("DELETE FROM sent WHERE " + key_of(parcel.kind, parcel.first));
}

std::expected<std::vector<Sent>, std::string> Outbox::sent() {
    auto statement = database_.prepare(
        "SELECT kind, first, last, records, server FROM sent ORDER BY kind, first");
    if (!statement) return std::unexpected(sentence(statement.error()));
    std::vector<Sent> all;
    while (true) {
        const auto row = statement->step();
        if (!row) return std::unexpected(sentence(row.error()));
        if (!*row) return all;
        all.push_back(
            {.kind = statement->integer(0) == 0 ? Parcel::Kind::cases : Parcel::Kind::successes,
             .first = statement->integer(1),
             .last = statement->integer(2),
             .records = static_cast<uint64_t>(statement->integer(3)),
             .where = std::string(statement->bytes(4))});
    }
}

std::expected<Waiting, std::string> Outbox::waiting() {
    const auto cases = database_.number(
        "SELECT (SELECT count(*) FROM case_order WHERE place > (SELECT position FROM shipped WHERE "
        "kind = 0)) + (SELECT coalesce(sum(records), 0) FROM sent WHERE kind = 0)");
    if (!cases) return std::unexpected(sentence(cases.error()));
    const auto successes = database_.number(
        "SELECT (SELECT coalesce(sum(count), 0) FROM blocks WHERE id > (SELECT position FROM "
        "shipped WHERE kind = 1)) + (SELECT coalesce(sum(records), 0) FROM sent WHERE kind = 1)");
    if (!successes) return std::unexpected(sentence(successes.error()));
    return Waiting{static_cast<uint64_t>(*cases), static_cast<uint64_t>(*successes)};
}

std::expected<void, std::string> Outbox::note(const std::string& what) {
    if (auto done = database_.run(what); !done) return std::unexpected(sentence(done.error()));
    return {};
}

std::string Outbox::sentence(const DatabaseError& error) const {
    return "record store " + file_ + ": " + error.message;
}

}  // namespace edgecase::store
