#include "record/case_filter.hpp"

#include "base/ascii.hpp"
#include "cause/table.hpp"

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
    if (!filter.origin.empty() && record.origin_url != filter.origin) return false;
    return record.uri.starts_with(filter.path);
}

std::string cause_numbers(std::string_view cause) {
    std::string numbers;
    for (const cause::Row& row : cause::table()) {
        if (!cause::is_within(row.name, cause)) continue;
        if (!numbers.empty()) numbers += ',';
        numbers += std::to_string(static_cast<uint16_t>(row.cause));
    }
    return numbers;
}

}  // namespace edgecase::record
