// Owns the last good addresses of names, for all workers and across reloads.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ip/endpoint.hpp"

namespace edgecase::net {

class NameMemory {
  public:
    struct Known {
        std::vector<ip::Address> addresses;
        base::SteadyTime fresh_until;  // the end of their time to live
    };
    static constexpr size_t kMaximumNames = 4096;  // the one longest out of date goes first

    /// `name`: with the server that was asked, for another one may have told otherwise.
    void keep(const std::string& name, Known known);
    std::optional<Known> find(const std::string& name) const;

  private:
    mutable std::mutex mutex_;
    std::map<std::string, Known> names_;
};

}  // namespace edgecase::net
