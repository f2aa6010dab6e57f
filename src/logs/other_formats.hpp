// Owns the access logs that are neither a template nor JSON: HAProxy's and IIS's.
#pragma once

#include "logs/access_formats.hpp"

namespace edgecase::logs {

AccessFormatPtr haproxy_format();
AccessFormatPtr iis_format();

}  // namespace edgecase::logs
