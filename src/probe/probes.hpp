// Owns the list of probes; each is a file of its own.
#pragma once

#include "net/task.hpp"
#include "probe/session.hpp"

namespace edgecase::probe {

/// What the name resolves to.
net::Task<void> probe_name(Session& session);
/// Whether each address takes connections: refused, silent, each ICMP, a full accept queue.
net::Task<void> probe_tcp(Session& session);
/// Versions, chain, names, days left, client certificate demanded, what ALPN agrees on.
net::Task<void> probe_tls(Session& session);
/// The request itself, and with one thing after another changed; every byte of the answers.
net::Task<void> probe_strictness(Session& session);
/// Whether a compressed answer decodes, and is as long as it says.
net::Task<void> probe_coding(Session& session);
/// How large the response heads are, and how large request heads may be.
net::Task<void> probe_header_size(Session& session);
/// How long the origin keeps an idle connection, and what happens to a request at that moment.
net::Task<void> probe_keep_alive(Session& session);
/// The connection used again at once and soon, and how often.
net::Task<void> probe_reuse(Session& session);
/// The same load over HTTP/2 and over HTTP/1.1.
net::Task<void> probe_http2_isolation(Session& session);
/// The same request many times, and what the failures follow.
net::Task<void> probe_intermittence(Session& session);
/// Whether there is something for health checks to ask.
net::Task<void> probe_health(Session& session);

// These judge what the others have gathered.
void report_timeouts(Session& session);
void report_restarts(Session& session);
void report_hints(Session& session);
void report_header_size(Session& session);
void recognise_server(Session& session);

}  // namespace edgecase::probe
