#include "h2/field_list.hpp"

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "base/ascii.hpp"
#include "http/field_name.hpp"
#include "http/message.hpp"

namespace edgecase::h2 {
namespace {

using http::FieldName;
using http::FieldView;

/// Many clients share a connection to an origin, and so its table of fields: what must stay
/// secret must not be found there by guessing (RFC 7541 §7.1.3). What never comes twice would only
/// push others out of it.
uint8_t flags_for(const FieldView& field) {
    if (field.known == FieldName::cf_ray) return NGHTTP2_NV_FLAG_NO_INDEX;
    const bool secret =
        field.known == FieldName::set_cookie || field.known == FieldName::proxy_authorization ||
        (field.known == FieldName::other &&
         (base::iequals(field.name, "authorization") || base::iequals(field.name, "cookie")));
    return secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
}

/// nghttp2 does not write to them; its interface is C.
uint8_t* bytes_of(std::string_view text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
}

bool wants_trailers(const FieldView& field) {
    bool found = false;
    base::for_each_list_element(field.value, [&](std::string_view element) {
        found = found || base::iequals(element, "trailers");
    });
    return found;
}

}  // namespace

void FieldList::add(std::string_view name, std::string_view value, uint8_t flags) {
    entries_.push_back({bytes_of(name), bytes_of(value), name.size(), value.size(), flags});
}

void FieldList::add_fields(std::span<const FieldView> fields, bool of_request) {
    for (const FieldView& field : fields) {
        const FieldName known = field.known;
        if (known == FieldName::connection || known == FieldName::keep_alive ||
            known == FieldName::transfer_encoding || known == FieldName::upgrade ||
            known == FieldName::proxy_connection) {
            continue;
        }
        if (of_request) {
            if (known == FieldName::host || base::iequals(field.name, "http2-settings")) continue;
            if (known == FieldName::te) {
                if (wants_trailers(field)) add("te", "trailers");
                continue;
            }
        }
        add(field.name, field.value, flags_for(field));
    }
}

void FieldList::set_request(const http::RequestHeadView& head) {
    entries_.clear();
    add(":method", head.method);
    if (head.method == "CONNECT") {
        add(":authority", head.target);
    } else {
        add(":scheme", "https");
        add(":authority", head.host);
        add(":path", head.path);
    }
    add_fields(head.fields, true);
}

void FieldList::set_response(const http::ResponseHeadView& head) {
    entries_.clear();
    const unsigned status = head.status;
    status_ = {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
               static_cast<char>('0' + status % 10)};
    add(":status", {status_.data(), status_.size()});
    add_fields(head.fields, false);
}

void FieldList::set_trailers(std::span<const FieldView> fields) {
    entries_.clear();
    add_fields(fields, true);
}

}  // namespace edgecase::h2
