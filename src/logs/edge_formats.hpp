// Owns the formats of edge logs: Cloudflare Logpush `http_requests`, as NDJSON or CSV.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "logs/reader.hpp"

namespace edgecase::logs {

enum class EdgeFormat : uint8_t { unknown, logpush_ndjson, logpush_csv };

/// Lines as for readers; CSV needs its heading among them.
EdgeFormat recognise_edge(std::span<const std::string_view> lines);

std::unique_ptr<EdgeReader> edge_reader(EdgeFormat format);

}  // namespace edgecase::logs
