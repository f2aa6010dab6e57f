// Owns the list of fault families: each is one file here, with its scenarios and their bytes.
#pragma once

#include <span>

#include "lab/scenario.hpp"

namespace edgecase::lab::faults {

std::span<const Scenario> ok();
std::span<const Scenario> ok_uploads();
std::span<const Scenario> dns();
std::span<const Scenario> connect_ports();
std::span<const Scenario> connect_firewall();
std::span<const Scenario> connect_edge_side();
std::span<const Scenario> connection_lost();
std::span<const Scenario> upload_refused();
std::span<const Scenario> reused_connection();
std::span<const Scenario> response_empty();
std::span<const Scenario> response_truncated();
std::span<const Scenario> not_http();
std::span<const Scenario> status_line();
std::span<const Scenario> header_syntax();
std::span<const Scenario> header_limits();
std::span<const Scenario> message_framing();
std::span<const Scenario> interim_responses();
std::span<const Scenario> response_late();
std::span<const Scenario> body_idle();
std::span<const Scenario> body_short();
std::span<const Scenario> body_chunked();
std::span<const Scenario> body_trailers();
std::span<const Scenario> body_extra_bytes();
std::span<const Scenario> killed_process();
std::span<const Scenario> origin_status();
std::span<const Scenario> tls_ok();
std::span<const Scenario> tls_handshake();
std::span<const Scenario> tls_certificate();
std::span<const Scenario> tls_client_certificate();
std::span<const Scenario> tls_broken();
std::span<const Scenario> h2_ok();
std::span<const Scenario> h2_stream();
std::span<const Scenario> h2_connection();
std::span<const Scenario> h2_framing();
std::span<const Scenario> h2_fields();
std::span<const Scenario> h2_late();

}  // namespace edgecase::lab::faults
