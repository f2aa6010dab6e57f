#include "record/record.hpp"

namespace edgecase::record {

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

}  // namespace edgecase::record
