#include "admin/metrics.hpp"

#include <gtest/gtest.h>

namespace edgecase::admin {
namespace {

TEST(Metrics, are_written_as_prometheus_reads_them) {
    const Metric metric{"edgecase_requests_total",
                        "Requests.",
                        Metric::Type::counter,
                        {{{{"cause", "a\"b"}, {"x", "y"}}, 3}, {{}, 4}}};
    EXPECT_EQ(metrics_text({metric}),
              "# HELP edgecase_requests_total Requests.\n"
              "# TYPE edgecase_requests_total counter\n"
              "edgecase_requests_total{cause=\"a\\\"b\",x=\"y\"} 3\n"
              "edgecase_requests_total 4\n");
}

}  // namespace
}  // namespace edgecase::admin
