// Owns the setting of the keys that have a form of their own, most of them at top level.
#pragma once

#include "config/settings.hpp"
#include "config/values.hpp"

namespace edgecase::config {

Problem set_listen(Settings& settings, const Value& value);
Problem set_listen_plain(Settings& settings, const Value& value);
Problem set_admin(Settings& settings, const Value& value);
Problem set_admin_token_file(Settings& settings, const Value& value);
Problem set_origin(Settings& settings, const Value& value);
Problem set_data_dir(Settings& settings, const Value& value);
Problem set_profile(Settings& settings, const Value& value);
Problem set_workers(Settings& settings, const Value& value);
Problem set_node_id(Settings& settings, const Value& value);
Problem set_colo(Settings& settings, const Value& value);
Problem set_resolver(Settings& settings, const Value& value);
Problem set_host_to_origin(Settings& settings, const Value& value);
Problem set_early_hints(Settings& settings, const Value& value);
Problem set_ssl_mode(Settings& settings, const Value& value);
Problem set_origin_name(Settings& settings, const Value& value);
Problem set_origin_http2(Settings& settings, const Value& value);

Problem set_traceparent(Settings& settings, const Value& value);
Problem set_recorded(Settings& settings, const Value& value);
Problem set_access_log_path(Settings& settings, const Value& value);
Problem set_access_log_format(Settings& settings, const Value& value);

/// One more source address.
Problem add_egress(Settings& settings, const Value& value);

// Files: the values are whole paths, already checked.
Problem set_origin_ca(Settings& settings, const Value& value);
Problem set_origin_client_cert(Settings& settings, const Value& value);
Problem set_origin_client_key(Settings& settings, const Value& value);
/// The first certificate, made when there is none yet.
Problem set_tls_cert(Settings& settings, const Value& value);
Problem set_tls_key(Settings& settings, const Value& value);

}  // namespace edgecase::config
