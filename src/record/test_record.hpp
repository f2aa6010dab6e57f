// Owns records with every field set, for tests.
#pragma once

#include "record/record.hpp"

namespace edgecase::record {

/// All that a request without TLS and HTTP/2 can have.
inline Record plain_record() {
    using namespace std::chrono_literals;
    Record record;
    record.ray = RayId(0x7a1b2c3d4e5f6789);
    record.parent = RayId(0x1122334455667788);
    record.start = base::WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)) + 13h +
                   38min + 7s + 123456us;
    record.duration_us = 15250;
    record.first_byte_us = 15000;
    record.colo = "LAB";
    record.client = *ip::Endpoint::parse("203.0.113.9:51000");
    record.edge = *ip::Endpoint::parse("[2001:db8::1]:8080");
    record.scheme = "http";
    record.protocol = "HTTP/1.1";
    record.method = "GET";
    record.host = "shop.example";
    record.uri = "/cart?item=7&token=hunter2";
    record.user_agent = "curl/8.5";
    record.referer = "http://shop.example/?code=abc";
    record.origin_url = "http://127.0.0.1:3000";
    record.request_bytes = 300;
    record.request_body_bytes = 20;
    record.response_bytes = 2000;
    record.response_body_bytes = 1800;
    record.edge_status = 520;
    record.origin_status = 200;
    record.content_type = "text/html";
    record.cause = cause::Cause::resp_headers_too_large;
    record.aborted = true;
    record.header_warning = true;
    record.response_header_bytes = 40123;

    Attempt first;
    first.cause = cause::Cause::reuse_stale;
    first.origin = *ip::Endpoint::parse("127.0.0.1:3000");
    first.edge = *ip::Endpoint::parse("127.0.0.1:40000");
    first.connection_id = 77;
    first.reused = true;
    first.idle_us = 5'001'000;
    first.nth_request = 9;
    first.connect_us = 0;
    first.send_us = 40;
    first.total_us = 90;
    first.bytes_sent = 280;
    first.close = Close::rst;
    first.retried = true;
    first.evidence.add("idle_ms", 5001).add("reset", true);
    record.attempts.push_back(first);

    Attempt second;
    second.cause = cause::Cause::resp_headers_too_large;
    second.origin = *ip::Endpoint::parse("[::1]:3000");
    second.edge = *ip::Endpoint::parse("[::1]:40001");
    second.connection_id = 78;
    second.dns_us = 700;
    second.connect_us = 210;
    second.send_us = 30;
    second.first_byte_us = 4000;
    second.header_us = 9000;
    second.total_us = 14000;
    second.bytes_sent = 280;
    second.bytes_received = 40123;
    second.header_bytes = 40123;
    second.status = 200;
    second.close = Close::local;
    record.attempts.push_back(second);

    base::Sample sample;
    sample.bytes = "Set-Cookie: id=s3cr3t; path=/\r\nX-Bad\x01: 1";
    sample.first_offset = 1000;
    sample.error_offset = 1036;
    record.evidence.add("header_bytes", 40123)
        .add("limit_bytes", 32768)
        .add("largest_fields",
             std::vector<std::string>{"set-cookie: 31000 bytes", "x-debug: 700 bytes"})
        .add("line", "Cookie: a=b")
        .add("complete", false)
        .add("negative", int64_t{-5})
        .add("sample", sample);
    return record;
}

inline Record full_record() {
    Record record = plain_record();
    record.scheme = "https";
    record.protocol = "HTTP/2";
    record.tls_version = 0x0304;
    record.tls_cipher = "TLS_AES_128_GCM_SHA256";
    record.sni = "www.shop.example";
    record.origin_url = "https://127.0.0.1:3000";
    record.trace = {0x0af7651916cd43dd, 0x8448eb211c80319c, 0xb7ad6b7169203331};

    Attempt& first = record.attempts[0];
    first.tls_us = 0;
    first.tls_version = 0x0303;
    first.http2 = true;
    first.stream_id = 17;
    first.outrun = true;

    Attempt& second = record.attempts[1];
    second.tls_us = 1250;
    second.tls_version = 0x0304;
    second.tls_resumed = true;
    second.downgraded = true;
    second.dns_stale = cause::Cause::dns_servfail;
    return record;
}

}  // namespace edgecase::record
