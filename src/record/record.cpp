#include "record/record.hpp"

#include "base/hex.hpp"

namespace edgecase::record {

std::string Trace::id() const {
    const auto left = base::hex16(high);
    const auto right = base::hex16(low);
    return std::string(left.begin(), left.end()) + std::string(right.begin(), right.end());
}

std::string_view to_string(Close close) {
    switch (close) {
        case Close::open:
            return "open";
        case Close::fin:
            return "fin";
        case Close::rst:
            return "rst";
        case Close::timeout:
            return "timeout";
        case Close::local:
            return "local";
    }
    return "open";
}

std::string_view tls_version_name(uint16_t version) {
    switch (version) {
        case 0:
            return "none";
        case 0x0301:
            return "TLSv1";
        case 0x0302:
            return "TLSv1.1";
        case 0x0303:
            return "TLSv1.2";
        case 0x0304:
            return "TLSv1.3";
        default:
            return "unknown";
    }
}

}  // namespace edgecase::record
