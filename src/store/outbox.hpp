// Owns what the store keeps and another place is still to get: parcels of it, and how far they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "store/database.hpp"

namespace edgecase::store {

/// Records that follow each other in the order of their storing.
struct Parcel {
    enum class Kind : uint8_t { cases = 0, successes = 1 };
    Kind kind = Kind::cases;
    int64_t first = 0;  // places in the store; 0: it is empty
    int64_t last = 0;
    uint64_t records = 0;
    uint64_t gone = 0;  // places whose record was removed before it was given out
    std::string bytes;  // of the records
    /// The places' shares of it, each for a record::BlockReader of its own: damage to one must not
    /// hide the next.
    struct Row {
        size_t bytes = 0;
        uint64_t records = 0;
    };
    std::vector<Row> rows;

    bool empty() const { return first == 0; }
};

/// A parcel that was given out and has not been acknowledged.
struct Sent {
    Parcel::Kind kind = Parcel::Kind::cases;
    int64_t first = 0;
    int64_t last = 0;
    uint64_t records = 0;
    std::string where;  // who may have it already; empty: nobody
};

struct Waiting {
    uint64_t cases = 0;
    uint64_t successes = 0;
};

/// The shipping side of a store, beside the process's writing side; for one thread. What it notes
/// survives kill -9: a parcel is given out again until it has been acknowledged.
class Outbox {
  public:
    /// There must be a store. Errors: a sentence; so below.
    static std::expected<Outbox, std::string> open(const std::filesystem::path& data_dir);

    /// What follows the last parcel of that kind, of about that size; empty: nothing does.
    std::expected<Parcel, std::string> next(Parcel::Kind kind, size_t bytes);
    /// Before `parcel` goes to `where`, whether for the first time or again.
    std::expected<void, std::string> sending(const Parcel& parcel, const std::string& where);
    /// It did not get there for sure: anybody may have it next.
    std::expected<void, std::string> came_back(const Parcel& parcel);
    std::expected<void, std::string> acknowledged(const Parcel& parcel);

    /// Parcels on their way, cases first, oldest first.
    std::expected<std::vector<Sent>, std::string> sent();
    /// What the store still has of one.
    std::expected<Parcel, std::string> again(const Sent& sent);

    /// What has not been acknowledged.
    std::expected<Waiting, std::string> waiting();

  private:
    Outbox(Database database, std::string file)
        : database_(std::move(database)), file_(std::move(file)) {}
    std::expected<Parcel, std::string> read(Parcel::Kind kind, int64_t first, int64_t last,
                                            size_t bytes);
    std::expected<void, std::string> note(const std::string& what);
    std::string sentence(const DatabaseError& error) const;

    Database database_;
    std::string file_;
};

}  // namespace edgecase::store
