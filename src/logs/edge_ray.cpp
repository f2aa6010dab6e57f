#include "logs/edge_ray.hpp"

namespace edgecase::logs {
namespace {

constexpr size_t kMaximumMessageBytes = 1024;

}  // namespace

EdgeRay EdgeRay::of(const EdgeEntryView& entry, TextPool& texts) {
    EdgeRay ray;
    ray.ray = entry.ray;
    ray.parent = entry.parent;
    ray.start = entry.start;
    ray.end = entry.end;
    ray.resolution_us = entry.resolution_us;
    ray.edge_status = entry.edge_status;
    ray.origin_status = entry.origin_status;
    ray.request_source = entry.request_source;
    ray.response_body_bytes = entry.response_body_bytes;
    ray.dns_ms = entry.dns_ms;
    ray.connect_ms = entry.connect_ms;
    ray.tls_ms = entry.tls_ms;
    ray.header_wait_ms = entry.header_wait_ms;
    ray.origin_ms = entry.origin_ms;
    ray.first_byte_ms = entry.first_byte_ms;
    ray.method = texts.keep(entry.method);
    ray.scheme = texts.keep(entry.scheme);
    ray.host = texts.keep(entry.host);
    ray.uri = texts.keep(entry.uri.substr(0, kMaximumUriBytes));
    ray.client = texts.keep(entry.client);
    ray.edge_address = texts.keep(entry.edge_address);
    ray.origin = texts.keep(entry.origin);
    ray.colo = texts.keep(entry.colo);
    ray.protocol = texts.keep(entry.protocol);
    ray.cache_status = texts.keep(entry.cache_status);
    ray.cause = texts.keep(entry.cause);
    return ray;
}

OriginLine OriginLine::of(const EntryView& entry, std::string_view line, size_t log) {
    OriginLine kept;
    kept.log = log;
    kept.time = entry.time;
    kept.moment = entry.moment;
    kept.resolution_us = entry.resolution_us;
    kept.status = entry.status;
    kept.upstream_status = entry.upstream_status;
    kept.body_bytes = entry.body_bytes;
    kept.duration_us = entry.duration_us;
    kept.worker = entry.worker;
    kept.client = entry.client;
    kept.reason = entry.reason;
    kept.text = line.substr(0, kMaximumTextBytes);
    return kept;
}

Event Event::of(const EventView& event, size_t log) {
    Event kept;
    kept.log = log;
    kept.time = event.time;
    kept.resolution_us = event.resolution_us;
    kept.kind = event.kind;
    kept.system = event.system;
    kept.message = event.message.substr(0, kMaximumMessageBytes);
    kept.ray = event.ray;
    kept.pid = event.pid;
    kept.signal = event.signal;
    kept.method = event.method;
    kept.uri = event.uri.substr(0, EdgeRay::kMaximumUriBytes);
    kept.script = event.script.substr(0, EdgeRay::kMaximumUriBytes);
    return kept;
}

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::matched:
            return "matched";
        case Outcome::ambiguous:
            return "ambiguous";
        case Outcome::not_covered:
            return "not_covered";
        case Outcome::never_arrived:
            return "never_arrived";
    }
    return "";
}

}  // namespace edgecase::logs
