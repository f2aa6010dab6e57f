// Owns the reading of cases as they are stored, in the order of their storing.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "record/follower.hpp"
#include "record/remembered_rays.hpp"
#include "store/database.hpp"

namespace edgecase::store {

/// Follows the store of a folder, beside the process that writes it and beyond a replacement of its
/// file. A long request is stored behind younger ones: by the order of storing none is missed, and
/// none comes twice.
class CaseFollower final : public record::Follower {
  public:
    /// Nothing is opened yet, and there need not be a store.
    explicit CaseFollower(std::filesystem::path data_dir);

    std::expected<void, std::string> skip_present() override;
    void skip(record::RayId ray) override { given_.add(ray); }
    std::expected<std::vector<record::Record>, std::string> next() override;
    /// A record is in the store 300 ms after its response, and is to be seen within a second of it.
    std::chrono::milliseconds pause() const override { return std::chrono::milliseconds(100); }

  private:
    using FileId = std::pair<uint64_t, uint64_t>;  // device and inode

    std::expected<void, std::string> open();
    std::expected<std::vector<record::Record>, std::string> read();
    std::optional<FileId> file_id() const;

    const std::filesystem::path data_dir_;
    const base::WallTime made_;
    std::optional<Database> database_;
    std::optional<FileId> opened_;
    std::optional<FileId> followed_;  // the one that place_ belongs to
    int64_t place_ = 0;
    bool all_is_new_ = false;  // behind place_; else only what ended after the making
    record::RememberedRays given_;
};

}  // namespace edgecase::store
