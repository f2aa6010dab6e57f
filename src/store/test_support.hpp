// Owns what the store's tests share: a directory that goes away, records, and waiting for a fact.
#pragma once

#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

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
