// Owns what a client is told of an edge-made error, in each media type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "cause/table.hpp"
#include "record/ray_id.hpp"

namespace edgecase::errorpage {

enum class MediaType : uint8_t { html, problem_json, json, markdown };

/// The media type an Accept field asks for; all its lines joined with ", ", empty if there is none.
/// The highest weight wins, ties go to the first listed. `*/*` is HTML and `text/*` Markdown,
/// unless the same field refuses that type with q=0. Elements that are malformed or of another type
/// do not count, and if none is left the answer is HTML: an error is better shown than met with a
/// 406. Source: RFC 9110 12.5.1; Cloudflare, error responses.
MediaType negotiate(std::string_view accept);

/// All a page may be made of. There is no room for evidence here, so none can leak.
struct PageInput {
    uint16_t status = 0;  // one of cause::statuses()
    cause::Actor actor = cause::Actor::none;
    std::string_view visitor_sentence;  // of the cause's row
    record::RayId ray;
    std::string_view colo;
    std::string_view host;  // as the client sent it: hostile until escaped
    base::WallTime time;
};

struct Page {
    std::string_view content_type;
    std::string body;
    uint16_t retry_after_s = 0;  // 0: none
};

/// The page. A status the edge never makes gives a page that says no more than its number.
Page render(const PageInput& input, MediaType type);

/// The member that names this edge in Proxy-Status: `edgecase-LAB; error=connection_refused`, with
/// the parameters of RFC 9209 that repeat what the client sees anyway. There is never a `details`.
/// `received_status`: what the origin answered; 0: nothing. `header_section_size`: bytes, used only
/// if the error type has that parameter; 0: unknown. Source: RFC 9209 2; RFC 8941 3.3 (strings,
/// tokens).
std::string proxy_status(const cause::Row& row, std::string_view colo, uint16_t received_status,
                         uint64_t header_section_size);

}  // namespace edgecase::errorpage
