#include "h1/framing_fields.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ascii.hpp"
#include "h1/rule.hpp"
#include "http/field_name.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {
namespace {

using http::FieldName;
using http::FieldView;

/// Content-Length values go into signed 64-bit sizes; no real message comes near.
constexpr uint64_t kMaxLength = (uint64_t{1} << 63) - 1;

/// Calls `visit` with each trimmed element of a comma-separated list, empty ones too; stops when
/// it returns false.
template <typename Visit>
bool for_each_element(std::string_view list, Visit visit) {
    while (true) {
        const size_t comma = list.find(',');
        if (!visit(base::trim(list.substr(0, comma)))) return false;
        if (comma == std::string_view::npos) return true;
        list.remove_prefix(comma + 1);
    }
}

/// Collects Content-Length over all its fields.
class LengthReader {
  public:
    LengthReader(std::string_view buffer, ParseError& error) : buffer_(buffer), error_(error) {}

    bool add(const FieldView& field) {
        return for_each_element(
            field.value, [&](std::string_view element) { return add_element(field, element); });
    }

    bool settle(const FramedMessage& message) {
        if (again_field_ == nullptr) return true;
        error_ = value_breach(conflict_ ? Rule::conflicting_length : Rule::duplicate_length,
                              buffer_, *again_field_, again_);
        error_.values.clear();
        for (const FieldView& field : message.fields) {
            if (field.known != FieldName::content_length) continue;
            for_each_element(field.value, [&](std::string_view element) {
                add_value(error_, element);
                return true;
            });
        }
        return false;
    }

    uint64_t length() const { return length_; }

  private:
    bool add_element(const FieldView& field, std::string_view element) {
        uint64_t value = 0;
        size_t at = 0;
        for (; at < element.size(); ++at) {
            const auto digit = static_cast<unsigned char>(element[at] - '0');
            if (digit > 9 || value > (kMaxLength - digit) / 10) break;
            value = value * 10 + digit;
        }
        if (element.empty() || at != element.size()) {
            error_ = value_breach(Rule::bad_length, buffer_, field, element.substr(at));
            return false;
        }
        ++count_;
        if (count_ == 1) {
            length_ = value;
        } else if (again_field_ == nullptr || (!conflict_ && value != length_)) {
            again_ = element;
            again_field_ = &field;
            conflict_ = value != length_;
        }
        return true;
    }

    std::string_view buffer_;
    ParseError& error_;
    size_t count_ = 0;
    uint64_t length_ = 0;
    bool conflict_ = false;
    std::string_view again_;  // the repetition that proves the error
    const FieldView* again_field_ = nullptr;
};

/// Accepts `chunked`, once, and nothing else. Source: RFC 9112 §6.1, stricter (docs/adr/0001).
bool read_coding(std::string_view buffer, const FieldView& field, bool& chunked,
                 ParseError& error) {
    return for_each_element(field.value, [&](std::string_view element) {
        const bool is_chunked = base::iequals(element, "chunked");
        if (!chunked && is_chunked) {
            chunked = true;
            return true;
        }
        error = value_breach(chunked ? Rule::chunked_not_final : Rule::unknown_coding, buffer,
                             field, element);
        return false;
    });
}

}  // namespace

ParseError value_breach(Rule rule, std::string_view buffer, const FieldView& field,
                        std::string_view at) {
    const auto offset = static_cast<size_t>(at.data() - buffer.data());
    const auto line_start = static_cast<size_t>(field.name.data() - buffer.data());
    ParseError error = breach(rule, buffer, offset, line_start, field.name);
    add_value(error, field.value);
    return error;
}

bool read_framing_fields(const FramedMessage& message, FramingFields& out, ParseError& error) {
    LengthReader lengths(message.buffer, error);
    const FieldView* length = nullptr;
    const FieldView* coding = nullptr;
    for (const FieldView& field : message.fields) {
        if (field.known == FieldName::content_length && !message.ignores_length) {
            if (!lengths.add(field)) return false;
            if (length == nullptr) length = &field;
        } else if (field.known == FieldName::transfer_encoding && !message.ignores_coding) {
            if (coding == nullptr) coding = &field;
        } else if (field.known == FieldName::connection) {
            base::for_each_list_element(field.value, [&](std::string_view option) {
                out.close = out.close || base::iequals(option, "close");
                out.keep_alive = out.keep_alive || base::iequals(option, "keep-alive");
                out.upgrade = out.upgrade || base::iequals(option, "upgrade");
            });
        }
    }
    if (!lengths.settle(message)) return false;
    if (length != nullptr) out.length = lengths.length();
    if (coding == nullptr) return true;
    if (message.version_minor == 0) {
        error = value_breach(Rule::coding_in_http10, message.buffer, *coding, coding->name);
        return false;
    }
    if (length != nullptr) {
        error = value_breach(Rule::length_and_coding, message.buffer, *coding, coding->name);
        error.values.insert(error.values.begin(),
                            std::string(length->value.substr(0, kMaxEvidenceValueBytes)));
        return false;
    }
    for (const FieldView& field : message.fields) {
        if (field.known == FieldName::transfer_encoding &&
            !read_coding(message.buffer, field, out.chunked, error)) {
            return false;
        }
    }
    return true;
}

}  // namespace edgecase::h1
