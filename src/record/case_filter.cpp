#include "record/case_filter.hpp"

#include "base/ascii.hpp"

namespace edgecase::record {

bool is_of_host(std::string_view host, std::string_view wanted) {
    if (!base::iequals(host.substr(0, wanted.size()), wanted)) return false;
    return host.size() == wanted.size() || host[wanted.size()] == ':';
}

bool matches(const CaseFilter& filter, const Record& record) {
    if (filter.since && record.start < *filter.since) return false;
    if (filter.status && record.edge_status != *filter.status) return false;
    const std::string_view name = cause::row(record.cause).name;
    if (!filter.cause.empty() && !cause::is_within(name, filter.cause)) return false;
    if (!filter.host.empty() && !is_of_host(record.host, filter.host)) return false;
    return record.uri.starts_with(filter.path);
}

}  // namespace edgecase::record
