// Owns the replies the edge makes itself.
#pragma once

#include <string_view>

#include "base/byte_buffer.hpp"
#include "base/clock.hpp"
#include "cause/failure.hpp"
#include "record/ray_id.hpp"

namespace edgecase::edge {

struct LocalReply {
    const cause::Failure& failure;
    record::RayId ray;
    std::string_view colo;
    std::string_view host;
    std::string_view accept;  // all Accept fields, joined
    std::string_view date;
    base::WallTime time;
    uint16_t origin_status = 0;  // what the origin said before it failed; 0: nothing
    bool head_only = false;      // the request was HEAD
    bool close = false;
};

struct LocalReplySize {
    size_t body_bytes = 0;
    std::string_view content_type;
};

/// Head and body: the page of the failure's row in the media type the client likes best.
LocalReplySize write_local_reply(base::ByteBuffer& out, const LocalReply& reply);

}  // namespace edgecase::edge
