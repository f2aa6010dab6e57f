#include "store/follower.hpp"

#include <sys/stat.h>

#include <utility>

#include "record/binary.hpp"
#include "store/schema.hpp"

namespace edgecase::store {
CaseFollower::CaseFollower(std::filesystem::path data_dir)
    : data_dir_(std::move(data_dir)), made_(base::SystemClock().wall_now()) {}

std::expected<void, std::string> CaseFollower::skip_present() {
    if (auto opened = open(); !opened) return opened;
    followed_ = opened_;
    all_is_new_ = true;  // behind the place below
    const auto newest = database_->number("SELECT max(place) FROM case_order");
    if (!newest) return std::unexpected(newest.error().message);
    place_ = *newest;
    return {};
}

std::expected<std::vector<record::Record>, std::string> CaseFollower::next() {
    if (database_ && file_id() != opened_) {
        // What the former file still has comes first.
        if (auto rest = read(); rest && !rest->empty()) return rest;
        database_.reset();
    }
    if (!database_) {
        if (!file_id()) followed_.reset();  // a file's number may be given to the next one
        if (auto opened = open(); !opened) return std::unexpected(std::move(opened.error()));
        if (opened_ != followed_) {
            place_ = 0;
            all_is_new_ = false;
        }
        followed_ = opened_;
    }
    auto cases = read();
    if (!cases) database_.reset();
    return cases;
}

std::expected<void, std::string> CaseFollower::open() {
    opened_ = file_id();
    auto database = open_for_reading(data_dir_);
    if (!database) return std::unexpected(std::move(database.error()));
    const auto ordered = database->number(
        "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND "
        "name = 'case_order'");
    if (!ordered) return std::unexpected(ordered.error().message);
    if (*ordered == 0) {
        return std::unexpected((data_dir_ / kFileName).string() +
                               " was written by an earlier Edgecase, which did not note in which "
                               "order; it can be followed once a present one writes it");
    }
    database_.emplace(std::move(*database));
    return {};
}

std::expected<std::vector<record::Record>, std::string> CaseFollower::read() {
    const auto failed = [&](const DatabaseError& error) {
        return std::unexpected("cannot read record store " + (data_dir_ / kFileName).string() +
                               ": " + error.message);
    };
    // Retention may have removed a case; its place is passed over.
    auto statement = database_->prepare(
        "SELECT o.place, c.bytes FROM case_order o LEFT JOIN cases c ON c.ray = o.ray "
        "WHERE o.place > ?1 ORDER BY o.place LIMIT ?2");
    if (!statement) return failed(statement.error());
    std::vector<record::Record> cases;
    bool more = true;
    while (more && cases.empty()) {
        statement->bind(0, place_).bind(1, static_cast<int64_t>(kMaximumCases));
        size_t rows = 0;
        while (true) {
            const auto row = statement->step();
            if (!row) return failed(row.error());
            if (!*row) break;
            ++rows;
            place_ = statement->integer(0);
            auto record = record::BlockReader(statement->bytes(1)).next();
            if (!record) continue;  // one damaged row must not hide the others
            const auto end = record->start + std::chrono::microseconds(record->duration_us);
            if (!all_is_new_ && end < made_) continue;
            if (given_.add(record->ray)) cases.push_back(std::move(*record));
        }
        more = rows == kMaximumCases;
    }
    return cases;
}

std::optional<CaseFollower::FileId> CaseFollower::file_id() const {
    struct stat status{};
    if (stat((data_dir_ / kFileName).c_str(), &status) != 0) return std::nullopt;
    return FileId(status.st_dev, status.st_ino);
}

}  // namespace edgecase::store
