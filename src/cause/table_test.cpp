#include "cause/table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "cause/evidence.hpp"

namespace edgecase::cause {
namespace {

// RFC 9209 §2.3: the error types a Proxy-Status member may name.
constexpr std::array<std::string_view, 32> kErrorTypes{"dns_timeout",
                                                       "dns_error",
                                                       "destination_not_found",
                                                       "destination_unavailable",
                                                       "destination_ip_prohibited",
                                                       "destination_ip_unroutable",
                                                       "connection_refused",
                                                       "connection_terminated",
                                                       "connection_timeout",
                                                       "connection_read_timeout",
                                                       "connection_write_timeout",
                                                       "connection_limit_reached",
                                                       "tls_protocol_error",
                                                       "tls_certificate_error",
                                                       "tls_alert_received",
                                                       "http_request_error",
                                                       "http_request_denied",
                                                       "http_response_incomplete",
                                                       "http_response_header_section_size",
                                                       "http_response_header_size",
                                                       "http_response_body_size",
                                                       "http_response_trailer_section_size",
                                                       "http_response_trailer_size",
                                                       "http_response_transfer_coding",
                                                       "http_response_content_coding",
                                                       "http_response_timeout",
                                                       "http_upgrade_failed",
                                                       "http_protocol_error",
                                                       "proxy_internal_response",
                                                       "proxy_internal_error",
                                                       "proxy_configuration_error",
                                                       "proxy_loop_detected"};

TEST(CauseTable, every_row_is_complete) {
    for (const Row& row : table()) {
        EXPECT_FALSE(row.reason.empty()) << row.name;
        if (row.cause == Cause::none) continue;
        EXPECT_TRUE(row.name.contains('.')) << row.name;
        EXPECT_FALSE(row.fix.empty()) << row.name;
        EXPECT_FALSE(row.source.empty()) << row.name;
        EXPECT_NE(row.actor, Actor::none) << row.name;
    }
}

TEST(CauseTable, every_status_has_a_title_and_every_error_type_is_rfc_9209s) {
    for (const Row& row : table()) {
        if (row.status == 0) continue;
        EXPECT_NE(status(row.status), nullptr) << row.name;
        if (row.status == 499) continue;
        EXPECT_NE(std::ranges::find(kErrorTypes, row.proxy_error), kErrorTypes.end()) << row.name;
    }
}

TEST(CauseTable, no_two_rows_share_an_operator_sentence) {
    for (const Row& a : table()) {
        for (const Row& b : table()) {
            if (a.cause != b.cause) EXPECT_NE(a.reason, b.reason) << a.name << " " << b.name;
        }
    }
}

TEST(CauseTable, a_52x_is_never_the_edges_limit_nor_the_clients_fault) {
    for (const Row& row : table()) {
        if (row.status >= 520 && row.status <= 522) {
            EXPECT_TRUE(row.actor == Actor::origin || row.actor == Actor::network) << row.name;
        }
    }
    EXPECT_EQ(row(Cause::connect_local_exhausted).status, 503);
    EXPECT_EQ(row(Cause::request_not_acked).status, 522);
    EXPECT_EQ(row(Cause::time_first_byte).status, 524);
}

TEST(CauseTable, names_and_numbers_round_trip) {
    for (const Row& r : table()) {
        EXPECT_EQ(parse_cause(r.name), r.cause);
        EXPECT_EQ(cause_of_number(static_cast<uint16_t>(r.cause)), r.cause);
        EXPECT_EQ(&row(r.cause), &r);
    }
    EXPECT_FALSE(parse_cause("resp.unheard_of"));
    EXPECT_FALSE(cause_of_number(65535));
    EXPECT_EQ(row(Cause{65535}).cause, Cause::none);
}

TEST(Evidence, keeps_order_and_finds_by_key) {
    Evidence evidence;
    evidence.add("bytes_read", 12).add("reused", true).add("close", "rst");
    EXPECT_EQ(evidence.items().front().first, "bytes_read");
    EXPECT_EQ(std::get<bool>(*evidence.find("reused")), true);
    EXPECT_EQ(evidence.find("absent"), nullptr);
}

TEST(CauseTable, a_family_is_a_name_up_to_a_dot) {
    EXPECT_TRUE(is_within("resp.empty_fin", "resp"));
    EXPECT_TRUE(is_within("resp.empty_fin", "resp."));
    EXPECT_TRUE(is_within("resp.empty_fin", "resp.empty_fin"));
    EXPECT_FALSE(is_within("resp.empty_fin", "resp.empty"));
    EXPECT_FALSE(is_within("resp", "resp.empty_fin"));
    EXPECT_TRUE(is_family("tls.cert"));
    EXPECT_FALSE(is_family("tls.cer"));
}

}  // namespace
}  // namespace edgecase::cause
