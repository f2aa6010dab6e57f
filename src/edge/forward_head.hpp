// Owns the rewriting of heads on their way through: what is dropped, what is added.
#pragma once

#include <string_view>

#include "base/byte_buffer.hpp"
#include "http/message.hpp"

namespace edgecase::edge {

/// What the edge adds to a request. Source: Cloudflare, HTTP request headers.
struct RequestAdditions {
    std::string_view ray;  // with colo: the CF-Ray value
    std::string_view client_ip;
    std::string_view scheme;            // http or https
    std::string_view loop_token;        // this edge's CDN-Loop member
    std::string_view host;              // the Host value to send
    std::string_view upgrade;           // empty: no upgrade is asked for
    std::string_view traceparent = {};  // in place of the client's; empty: that one passes
    bool drop_tracestate = false;       // it belongs to a trace that is not continued
};

/// The whole head, blank line included. Framing is written anew: Content-Length or chunked.
void write_request_head(base::ByteBuffer& out, const http::RequestHeadView& head,
                        const RequestAdditions& additions);

/// What the edge adds to a response.
struct ResponseAdditions {
    std::string_view ray;
    http::Framing framing;       // towards the client
    bool close = false;          // say Connection: close
    bool keep_alive_10 = false;  // an HTTP/1.0 client that asked for keep-alive
    std::string_view upgrade;    // for 101
};

void write_response_head(base::ByteBuffer& out, const http::ResponseHeadView& head,
                         const ResponseAdditions& additions);

/// Whether a trailer may pass: not what the edge owns, and no credentials, which servers that merge
/// trailers into the header section would believe (RFC 9110 §6.5.1).
bool may_be_trailer(const http::FieldView& field);

/// Upgrade protocols that may pass: any but h2c, which would carry requests past the edge unseen.
std::string_view forwardable_upgrade(const http::RequestHeadView& head);

/// How often this edge stands in the request's CDN-Loop fields, and how many members there are.
struct LoopCount {
    unsigned own = 0;
    unsigned all = 0;
};
LoopCount count_loop(std::span<const http::FieldView> fields, std::string_view loop_token);

}  // namespace edgecase::edge
