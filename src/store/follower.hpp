// Owns the reading of cases as they are stored, in the order of their storing.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "record/record.hpp"
#include "store/database.hpp"

namespace edgecase::store {

/// Follows the store of a folder, beside the process that writes it and beyond a replacement of its
/// file. A long request is stored behind younger ones: by the order of storing none is missed, and
/// none comes twice.
class CaseFollower {
  public:
    /// Nothing is opened yet, and there need not be a store.
    explicit CaseFollower(std::filesystem::path data_dir);

    /// Of what is stored already nothing will be given. Errors: a sentence; then, once there is a
    /// store, next() gives what ended after the making of this object.
    std::expected<void, std::string> skip_present();
    /// Not to be given, because it was shown already.
    void skip(record::RayId ray) { remember(ray); }

    /// What was stored since the last call, at most so many; when it is as many, call again at
    /// once. Errors: a sentence (there is no store, or none that can be read); may pass, call again
    /// later.
    static constexpr size_t kMaximumCases = 1024;
    std::expected<std::vector<record::Record>, std::string> next();

  private:
    using FileId = std::pair<uint64_t, uint64_t>;  // device and inode

    std::expected<void, std::string> open();
    std::expected<std::vector<record::Record>, std::string> read();
    std::optional<FileId> file_id() const;
    bool remember(record::RayId ray);

    const std::filesystem::path data_dir_;
    const base::WallTime made_;
    std::optional<Database> database_;
    std::optional<FileId> opened_;
    std::optional<FileId> followed_;  // the one that place_ belongs to
    int64_t place_ = 0;
    bool all_is_new_ = false;  // behind place_; else only what ended after the making
    std::unordered_set<uint64_t> given_;
    std::deque<uint64_t> given_order_;
};

}  // namespace edgecase::store
