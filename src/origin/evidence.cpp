#include "origin/evidence.hpp"

#include <string>
#include <utility>
#include <vector>

#include "base/escape.hpp"

namespace edgecase::origin {

using cause::Evidence;

void add_tcp(Evidence& evidence, const net::TcpFacts& facts) {
    evidence.add("tcp_state", facts.state);
    evidence.add("tcp_bytes_acked", facts.bytes_acked);
    evidence.add("tcp_unacked_bytes", facts.unacked_bytes);
    evidence.add("tcp_retransmits", facts.retransmits);
    evidence.add("tcp_backoff", facts.backoff);
    if (facts.probes > 0) evidence.add("tcp_probes", facts.probes);
    evidence.add("tcp_send_window_bytes", facts.send_window_bytes);
    evidence.add("tcp_rtt_us", facts.rtt_us);
}

void add_parse_error(Evidence& evidence, const h1::ParseError& error) {
    evidence.add("rule", h1::to_string(error.rule));
    evidence.add("offset", error.offset);
    if (!error.field.empty()) evidence.add("field", base::escape(error.field));
    if (!error.values.empty()) {
        std::vector<std::string> values;
        for (const std::string& value : error.values) values.push_back(base::escape(value));
        evidence.add("values", std::move(values));
    }
    if (error.limit > 0) {
        evidence.add("limit", error.limit);
        evidence.add("seen", error.seen);
    }
    if (!error.largest_fields.empty()) evidence.add("largest_fields", error.largest_fields);
    if (error.fingerprint != h1::Fingerprint::none) {
        evidence.add("fingerprint", h1::to_string(error.fingerprint));
    }
    evidence.add("sample", error.sample);
}

}  // namespace edgecase::origin
