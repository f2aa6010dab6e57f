#include "diagnose/factor.hpp"

#include <algorithm>
#include <array>

#include "record/path_template.hpp"

namespace edgecase::diagnose {
namespace {

/// A bound, and the name of what is below it.
struct Step {
    int64_t below;
    std::string_view name;
};

template <size_t N>
std::string step_of(const std::array<Step, N>& steps, int64_t value, std::string_view beyond) {
    const auto step =
        std::ranges::find_if(steps, [&](const Step& one) { return value < one.below; });
    return std::string(step == steps.end() ? beyond : step->name);
}

constexpr std::array kIdle{Step{1'000, "below 1 s"}, Step{4'500, "1 to 4.5 s"},
                           Step{15'000, "4.5 to 15 s"}, Step{55'000, "15 to 55 s"},
                           Step{100'000, "55 to 100 s"}};
constexpr std::array kNth{Step{100, "2 to 99"}, Step{1'000, "100 to 999"}, Step{1'001, "1000"}};
constexpr std::array kHeader{Step{8'192, "below 8 KiB"}, Step{16'384, "8 to 16 KiB"},
                             Step{30'000, "16 KiB to 30,000 bytes"}};
constexpr std::array kRequest{Step{2'048, "below 2 KiB"}, Step{8'192, "2 to 8 KiB"},
                              Step{16'384, "8 to 16 KiB"}};

}  // namespace

std::vector<Factor> factors_of(const record::Record& record) {
    std::vector<Factor> factors{{"host", record.host},
                                {"path", record::path_template(record.uri)},
                                {"method", record.method},
                                {"client protocol", record.protocol}};
    factors.push_back(
        {"request header",
         step_of(kRequest, static_cast<int64_t>(record.request_bytes - record.request_body_bytes),
                 "16 KiB and more")});
    return factors;
}

std::vector<Factor> factors_of(const record::Attempt& attempt) {
    std::vector<Factor> factors;
    if (!attempt.origin.address.is_unspecified()) {
        factors.push_back({"origin", attempt.origin.to_string()});
    }
    if (!attempt.edge.address.is_unspecified()) {
        factors.push_back({"egress address", attempt.edge.address.to_string()});
    }
    factors.push_back({"protocol", attempt.http2 ? "HTTP/2" : "HTTP/1.1"});
    // A fresh connection is no factor: what can only happen there (refused, TLS, an end that is not
    // called stale) would always be set apart by it.
    if (attempt.reused) {
        factors.push_back({"connection", "reused"});
        factors.push_back({"idle time", step_of(kIdle, attempt.idle_us / 1000, "100 s and more")});
        factors.push_back({"nth request", step_of(kNth, attempt.nth_request, "above 1000")});
    }
    if (attempt.header_bytes > 0) {
        factors.push_back(
            {"response header", step_of(kHeader, attempt.header_bytes, "30,000 bytes and more")});
    }
    return factors;
}

}  // namespace edgecase::diagnose
