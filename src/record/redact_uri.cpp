#include "record/redact_uri.hpp"

#include "base/secrets.hpp"

namespace edgecase::record {

std::string redact_uri(std::string_view uri) {
    return base::without_secrets(uri);
}

}  // namespace edgecase::record
