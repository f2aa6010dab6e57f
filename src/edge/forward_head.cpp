#include "edge/forward_head.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "base/sample.hpp"
#include "h1/writer.hpp"

namespace edgecase::edge {
namespace {

using http::FieldName;
using http::FieldView;

/// The options of Connection that name other fields: hop-by-hop too, whatever they are. More of
/// them than any honest sender has are not looked at: each costs a comparison with every field.
class ConnectionOptions {
  public:
    static constexpr size_t kMaximum = 64;

    explicit ConnectionOptions(std::span<const FieldView> fields) {
        for (const FieldView& field : fields) {
            if (field.known != FieldName::connection) continue;
            base::for_each_list_element(field.value, [&](std::string_view option) {
                const bool usual =
                    base::iequals(option, "close") || base::iequals(option, "keep-alive");
                if (!usual && count_ < kMaximum) options_[count_++] = option;
            });
        }
    }
    bool name(const FieldView& field) const {
        // Without its Expect a request would wait for a 100 that nobody asked the origin for.
        if (count_ == 0 || field.known == FieldName::expect) return false;
        for (size_t i = 0; i < count_; ++i) {
            if (base::iequals(options_[i], field.name)) return true;
        }
        return false;
    }

  private:
    std::array<std::string_view, kMaximum> options_;
    size_t count_ = 0;
};

void write_framing(base::ByteBuffer& out, const http::Framing& framing) {
    switch (framing.kind) {
        case http::Framing::Kind::length:
            out.append("Content-Length: ");
            h1::write_number(out, framing.length);
            out.append("\r\n");
            break;
        case http::Framing::Kind::chunked:
            out.append("Transfer-Encoding: chunked\r\n");
            break;
        case http::Framing::Kind::none:
        case http::Framing::Kind::close:
            break;
    }
}

/// Fields the edge owns on the way to the origin; a client's own are lies.
bool is_replaced(FieldName name) {
    return name == FieldName::host || name == FieldName::content_length ||
           name == FieldName::cf_ray || name == FieldName::cf_connecting_ip ||
           name == FieldName::cf_visitor || name == FieldName::true_client_ip ||
           name == FieldName::x_forwarded_for || name == FieldName::x_forwarded_proto ||
           name == FieldName::cdn_loop;
}

/// CGI, WSGI and PHP read `X_Forwarded_For` as `X-Forwarded-For`: with an underscore a client could
/// say what only the edge may say.
bool is_disguised(const FieldView& field) {
    constexpr size_t kLongest = 24;  // no name the edge owns is longer
    if (field.name.size() > kLongest || !field.name.contains('_')) return false;
    std::array<char, kLongest> plain{};
    std::ranges::replace_copy(field.name, plain.data(), '_', '-');
    const FieldName name = http::classify({plain.data(), field.name.size()});
    return is_replaced(name) || http::is_hop_by_hop(name);
}

/// `NAME: existing values, added`.
void write_appended(base::ByteBuffer& out, std::span<const FieldView> fields, FieldName known,
                    std::string_view name, std::string_view added) {
    out.append(name);
    out.append(": ");
    for (const FieldView& field : fields) {
        if (field.known != known || field.value.empty()) continue;
        out.append(field.value);
        out.append(", ");
    }
    out.append(added);
    out.append("\r\n");
}

}  // namespace

void write_request_head(base::ByteBuffer& out, const http::RequestHeadView& head,
                        const RequestAdditions& additions) {
    h1::write_request_line(out, head.method, head.path);
    h1::write_field(out, "Host", additions.host);
    const ConnectionOptions options(head.fields);
    bool wants_trailers = false;
    for (const FieldView& field : head.fields) {
        if (field.known == FieldName::te) {
            base::for_each_list_element(field.value, [&](std::string_view element) {
                wants_trailers = wants_trailers || base::iequals(element, "trailers");
            });
        }
        if (http::is_hop_by_hop(field.known) || is_replaced(field.known)) continue;
        if (field.known == FieldName::traceparent && !additions.traceparent.empty()) continue;
        if (field.known == FieldName::tracestate && additions.drop_tracestate) continue;
        if (is_disguised(field)) continue;
        if (options.name(field)) continue;
        h1::write_field(out, field.name, field.value);
    }
    write_framing(out, head.framing);
    if (!additions.traceparent.empty()) {
        h1::write_field(out, "traceparent", additions.traceparent);
    }
    h1::write_field(out, "CF-Ray", additions.ray);
    h1::write_field(out, "CF-Connecting-IP", additions.client_ip);
    out.append(additions.scheme == "https" ? "CF-Visitor: {\"scheme\":\"https\"}\r\n"
                                           : "CF-Visitor: {\"scheme\":\"http\"}\r\n");
    write_appended(out, head.fields, FieldName::x_forwarded_for, "X-Forwarded-For",
                   additions.client_ip);
    h1::write_field(out, "X-Forwarded-Proto", additions.scheme);
    write_appended(out, head.fields, FieldName::cdn_loop, "CDN-Loop", additions.loop_token);
    if (!additions.upgrade.empty()) {
        h1::write_field(out, "Upgrade", additions.upgrade);
        out.append("Connection: Upgrade\r\n");
    } else if (wants_trailers) {
        out.append("TE: trailers\r\nConnection: Keep-Alive, TE\r\n");
    } else {
        out.append("Connection: Keep-Alive\r\n");
    }
    out.append("\r\n");
}

void write_response_head(base::ByteBuffer& out, const http::ResponseHeadView& head,
                         const ResponseAdditions& additions) {
    h1::write_status_line(out, head.status, head.reason_phrase);
    const ConnectionOptions options(head.fields);
    // Without a body of its own (HEAD, 304) Content-Length still speaks of the body there would be.
    const bool keeps_length = additions.framing.kind == http::Framing::Kind::none &&
                              head.status != 204 && head.status >= 200;
    for (const FieldView& field : head.fields) {
        if (http::is_hop_by_hop(field.known) || field.known == FieldName::cf_ray) continue;
        if (field.known == FieldName::content_length && !keeps_length) continue;
        if (options.name(field)) continue;
        h1::write_field(out, field.name, field.value);
    }
    write_framing(out, additions.framing);
    h1::write_field(out, "CF-Ray", additions.ray);
    if (!additions.upgrade.empty()) {
        h1::write_field(out, "Upgrade", additions.upgrade);
        out.append("Connection: Upgrade\r\n");
    } else if (additions.close) {
        out.append("Connection: close\r\n");
    } else if (additions.keep_alive_10) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
}

bool may_be_trailer(const FieldView& field) {
    return !http::is_hop_by_hop(field.known) && !is_replaced(field.known) && !is_disguised(field) &&
           !base::is_sensitive_field(field.name);
}

std::string_view forwardable_upgrade(const http::RequestHeadView& head) {
    if (!head.wants_upgrade) return {};
    const FieldView* const upgrade = http::find(head.fields, FieldName::upgrade);
    if (upgrade == nullptr) return {};
    bool h2c = false;
    base::for_each_list_element(upgrade->value, [&](std::string_view element) {
        h2c = h2c || base::iequals(element, "h2c");
    });
    return h2c ? std::string_view() : upgrade->value;
}

LoopCount count_loop(std::span<const FieldView> fields, std::string_view loop_token) {
    LoopCount count;
    for (const FieldView& field : fields) {
        if (field.known != FieldName::cdn_loop) continue;
        base::for_each_list_element(field.value, [&](std::string_view element) {
            ++count.all;
            if (element == loop_token) ++count.own;
        });
    }
    return count;
}

}  // namespace edgecase::edge
