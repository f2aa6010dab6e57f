// Owns what the store's tests share: a directory that goes away, records, and waiting for a fact.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "store/store.hpp"

namespace edgecase::store {

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "edgecase-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code error;
        std::filesystem::remove_all(path_, error);
    }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

inline base::WallTime wall_now() {
    return base::SystemClock().wall_now();
}

inline record::RecordView success_record(record::RayId ray, base::WallTime start = wall_now()) {
    record::RecordView record;
    record.ray = ray;
    record.start = start;
    record.duration_us = 1000;
    record.method = "GET";
    record.host = "shop.example";
    record.uri = "/ok?x=1";
    record.edge_status = 200;
    record.origin_status = 200;
    record.attempts.emplace_back();
    return record;
}

inline record::RecordView case_record(record::RayId ray, base::WallTime start = wall_now()) {
    record::RecordView record = success_record(ray, start);
    record.edge_status = 520;
    record.origin_status = 0;
    record.cause = cause::Cause::resp_empty_fin;
    record.evidence.add("bytes_read", 0);
    return record;
}

/// Log lines, from the writer thread.
class Lines {
  public:
    std::function<void(const std::string&)> callback() {
        return [this](const std::string& line) {
            const std::scoped_lock lock(mutex_);
            lines_.push_back(line);
        };
    }
    bool contain(std::string_view part) const {
        const std::scoped_lock lock(mutex_);
        for (const std::string& line : lines_) {
            if (line.contains(part)) return true;
        }
        return false;
    }
    size_t count(std::string_view part) const {
        const std::scoped_lock lock(mutex_);
        return static_cast<size_t>(std::ranges::count_if(
            lines_, [&](const std::string& line) { return line.contains(part); }));
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

inline StoreOptions options_of(const std::filesystem::path& dir, Lines& lines) {
    StoreOptions options;
    options.data_dir = dir;
    options.log = lines.callback();
    return options;
}

inline bool has(const std::filesystem::path& dir, record::RayId ray) {
    const auto source = open_source(dir);
    if (!source) return false;
    const auto found = (*source)->find(ray);
    return found && found->has_value();
}

/// True as soon as `fact` is; false when it has not become so in time.
inline bool eventually(const std::function<bool()>& fact,
                       std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < end) {
        if (fact()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return fact();
}

}  // namespace edgecase::store
