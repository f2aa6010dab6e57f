#include <fmt/format.h>

#include <algorithm>

#include "diagnose/remedy.hpp"
#include "diagnose/verdict.hpp"

namespace edgecase::diagnose {
namespace {

constexpr int64_t kFewDays = 14;
constexpr size_t kLargeLink = 2048;
constexpr unsigned kFewRequests = 100;  // on one connection

class Adviser {
  public:
    explicit Adviser(const Examination& examination) : examination_(examination) {
        const config::Settings& settings = examination.settings;
        values_.header_bytes = examination.facts.headers.bytes;
        values_.limit_bytes = settings.limits.request_header_bytes;
        values_.edge_idle = settings.timeouts.pool_idle;
        values_.target = examination.target;
        const http::OriginUrl& url = settings.pools.front().origins.front().url;
        values_.port = url.port;
        values_.name = settings.origin_tls.name.empty() ? url.host : settings.origin_tls.name;
    }

    std::vector<Advice> all() {
        keep_alive();
        request_headers();
        response_headers();
        coding();
        tls();
        health();
        return std::move(advice_);
    }

  private:
    void add(std::string topic, std::string what, Topic fix) {
        advice_.push_back(
            {std::move(topic), std::move(what), remedy(fix, examination_.facts.server, values_)});
    }

    void keep_alive() {
        const probe::KeepAliveFacts& facts = examination_.facts.keep_alive;
        const auto edge = values_.edge_idle;
        const auto seconds = [](std::chrono::milliseconds time) {
            return fmt::format("{:g} s", static_cast<double>(time.count()) / 1000);
        };
        if (facts.closed_after && *facts.closed_after < edge) {
            std::string what = fmt::format(
                "The origin closes idle connections after {}; the edge keeps them for {}. A "
                "request that meets the closing is lost, unless it can be sent again.",
                seconds(*facts.closed_after), seconds(edge));
            if (facts.race_lost > 0) {
                what += fmt::format(" Provoked: {} of {} were.", facts.race_lost, facts.raced);
            }
            add("keep_alive", std::move(what), Topic::keep_alive);
        } else if (facts.announced && *facts.announced < edge) {
            add("keep_alive",
                fmt::format("The origin announces to close idle connections after {}; the edge "
                            "keeps them for {}.",
                            seconds(*facts.announced), seconds(edge)),
                Topic::keep_alive);
        }
        if (facts.limit_reached && facts.requests_on_one > 1 &&
            facts.requests_on_one < kFewRequests) {
            add("keep_alive",
                fmt::format("The origin ends a connection after {} requests; each end is a chance "
                            "to lose one.",
                            facts.requests_on_one),
                Topic::keep_alive);
        }
    }

    void request_headers() {
        const auto& facts = examination_.facts.request_headers;
        if (!facts || facts->refused_bytes == 0) return;
        const std::string how = facts->refusal_cause != cause::Cause::none
                                    ? std::string(cause::row(facts->refusal_cause).name)
                                    : "status " + std::to_string(facts->refusal_status);
        add("request_headers",
            fmt::format(
                "Request heads above about {} bytes are refused with {}; the edge passes on "
                "{}. Large cookies will meet that.",
                facts->accepted_bytes, how, values_.limit_bytes),
            Topic::request_headers);
    }

    void response_headers() {
        const probe::HeaderFacts& facts = examination_.facts.headers;
        if (!facts.repeated_cookies.empty()) {
            advice_.push_back({"headers",
                               "One response sets the same cookie more than once: " +
                                   facts.repeated_cookies.front() + ".",
                               "Set each cookie once, with its last value."});
        }
        if (facts.link_bytes > kLargeLink) {
            add("link",
                fmt::format("Link fields with preload hints take {} bytes of the response head.",
                            facts.link_bytes),
                Topic::link);
        }
    }

    void coding() {
        const auto& facts = examination_.facts.coding;
        if (!facts || facts->trouble.empty()) return;
        advice_.push_back({"compression",
                           "The compressed answer says Content-Encoding: " + facts->coding +
                               ", but " + facts->trouble +
                               ". Browsers cannot show it, and an edge that must decode it answers "
                               "502.",
                           "Compress once, in one place, and let that place set Content-Length and "
                           "Content-Encoding."});
    }

    void tls() {
        const auto& facts = examination_.facts.tls;
        if (!facts) return;
        if (facts->certificate && facts->certificate->days_left <= kFewDays) {
            add("certificate",
                facts->certificate->days_left < 0
                    ? fmt::format("The certificate ended {} days ago.",
                                  -facts->certificate->days_left)
                    : fmt::format("The certificate ends in {} days.",
                                  facts->certificate->days_left),
                Topic::certificate);
        }
        if (facts->client_cert_requested &&
            examination_.settings.origin_tls.certificate_file.empty()) {
            advice_.push_back({"client_certificate",
                               "The origin asks for a client certificate, and the edge shows none.",
                               "Give the edge one (--origin-client-cert), or do not ask."});
        }
    }

    void health() {
        if (!examination_.facts.health_asked || !examination_.facts.health_path.empty()) return;
        add("health", "There is no health endpoint under the usual names.", Topic::health);
    }

    const Examination& examination_;
    RemedyValues values_;
    std::vector<Advice> advice_;
};

}  // namespace

std::vector<Advice> advise(const Examination& examination) {
    return Adviser(examination).all();
}

}  // namespace edgecase::diagnose
