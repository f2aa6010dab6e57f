// Owns the bytes of an upgraded connection, both ways, until both sides have ended.
#pragma once

#include <chrono>
#include <cstdint>

#include "edge/worker.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace edgecase::edge {

struct TunnelBytes {
    uint64_t from_client = 0;
    uint64_t from_origin = 0;
};

/// `client_first` and `origin_first`: bytes already read behind the heads. Ends when both
/// directions are closed, on an error, or when neither side has sent anything for the client_idle
/// timeout.
net::Task<TunnelBytes> run_tunnel(Worker& worker, net::Stream& client, net::Stream& origin,
                                  std::string_view client_first, std::string_view origin_first);

}  // namespace edgecase::edge
