// Owns everything a request needs that is costly to make: taken when bytes arrive, given back when
// the connection is idle again.
#pragma once

#include <memory>
#include <vector>

#include "base/byte_buffer.hpp"
#include "h1/body_decoder.hpp"
#include "h1/request_head.hpp"
#include "h1/response_head.hpp"
#include "record/record.hpp"

namespace edgecase::edge {

struct Buffers {
    static constexpr size_t kReadBytes = 16 * 1024;  // one read of a head and a small body
    static constexpr size_t kKeptBytes = 64 * 1024;  // a buffer that grew beyond is given up

    base::ByteBuffer client_in;    // from the client, the present request's head first
    base::ByteBuffer client_next;  // read from the client beyond the head, not yet decoded
    base::ByteBuffer origin_in;    // from the origin, the present response's head first
    base::ByteBuffer request_out;
    base::ByteBuffer response_out;
    base::ByteBuffer held;    // response payload held back or waiting for the client
    base::ByteBuffer replay;  // request payload that a retry would need
    base::ByteBuffer upload;  // request payload waiting for the origin
    h1::RequestHeadParser request_head;
    h1::ResponseHeadParser response_head;
    h1::BodyDecoder request_body;
    h1::BodyDecoder response_body;
    std::vector<record::Attempt> attempts;

    /// Empties all but `client_in`, which may hold the client's next request.
    void clear() {
        for (base::ByteBuffer* buffer :
             {&client_next, &origin_in, &request_out, &response_out, &held, &replay, &upload}) {
            buffer->clear();
            if (buffer->capacity() > kKeptBytes) buffer->release();
        }
        attempts.clear();
    }
};

}  // namespace edgecase::edge
