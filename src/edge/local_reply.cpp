#include "edge/local_reply.hpp"

#include "errorpage/error_page.hpp"
#include "h1/writer.hpp"

namespace edgecase::edge {
namespace {

uint64_t header_section_bytes(const cause::Failure& failure) {
    if (failure.cause() != cause::Cause::resp_headers_too_large) return 0;
    const cause::EvidenceValue* const seen = failure.evidence().find("seen");
    const int64_t* const bytes = seen == nullptr ? nullptr : std::get_if<int64_t>(seen);
    return bytes == nullptr ? 0 : static_cast<uint64_t>(*bytes);
}

}  // namespace

LocalReplySize write_local_reply(base::ByteBuffer& out, const LocalReply& reply) {
    const cause::Row& row = reply.failure.row();
    const cause::Status* const status = cause::status(row.status);
    const errorpage::Page page = errorpage::render(
        {row.status, row.actor, row.visitor, reply.ray, reply.colo, reply.host, reply.time},
        errorpage::negotiate(reply.accept));
    h1::write_status_line(out, row.status, status == nullptr ? "Error" : status->reason_phrase);
    h1::write_field(out, "Date", reply.date);
    h1::write_field(out, "Content-Type", page.content_type);
    out.append("Content-Length: ");
    h1::write_number(out, page.body.size());
    out.append("\r\nCache-Control: private, no-store\r\nVary: Accept\r\n");
    if (page.retry_after_s > 0) {
        out.append("Retry-After: ");
        h1::write_number(out, page.retry_after_s);
        out.append("\r\n");
    }
    h1::write_field(out, "Proxy-Status",
                    errorpage::proxy_status(row, reply.colo, reply.origin_status,
                                            header_section_bytes(reply.failure)));
    out.append("CF-Ray: ");
    const auto ray = reply.ray.hex();
    out.append(std::string_view(ray.data(), ray.size()));
    out.append('-');
    out.append(reply.colo);
    out.append("\r\n");
    if (reply.close) out.append("Connection: close\r\n");
    out.append("\r\n");
    if (reply.head_only) return {0, page.content_type};
    out.append(page.body);
    return {page.body.size(), page.content_type};
}

}  // namespace edgecase::edge
