// Owns one examination of an origin: the ways to it, the budget, and what was found so far.
#pragma once

#include <chrono>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "config/settings.hpp"
#include "net/loop.hpp"
#include "net/resolver.hpp"
#include "net/task.hpp"
#include "origin/origin.hpp"
#include "origin/own_request.hpp"
#include "probe/budget.hpp"
#include "probe/facts.hpp"
#include "probe/trial.hpp"
#include "tls/client_context.hpp"

namespace edgecase::probe {

struct Options {
    config::Settings settings;  // timeouts, limits, TLS; one pool of one origin
    std::string target = "/";
    std::string method = "GET";
    std::vector<origin::Field> fields;  // further ones of every request
    std::string host;                   // the Host field; empty: the origin's own
    std::string body;
    std::chrono::milliseconds patience{6'000};  // for an idle connection
    BudgetLimits budget;
    /// Tells what is being done.
    std::function<void(std::string_view)> progress;
};

class Session;

/// One request as a probe wants it. What is empty is as the edge would send it.
struct Question {
    std::string_view probe;
    Kind kind = Kind::plain;
    std::string_view factor{};
    std::string value{};
    std::string method{};
    std::string target{};
    std::string host{};
    std::string user_agent{};
    std::vector<origin::Field> fields{};
    bool fresh = true;
    bool http1_only = false;
    size_t body_bytes_kept = 0;
    std::optional<ip::Address> address{};  // of the origin
    std::optional<ip::Address> source{};
    unsigned paid = 0;  // already taken from the budget
};

/// A plain request over HTTP/1.1; varied where the edge would speak HTTP/2.
Question http1_question(const Session& session, std::string_view probe);

class Session {
  public:
    /// Errors: one sentence (a certificate file, the resolver).
    static std::expected<std::unique_ptr<Session>, std::string> create(Options options,
                                                                       const base::Clock& clock);
    ~Session();

    /// Makes the request and keeps the trial. Null: the budget is used up.
    net::Task<const Trial*> ask(Question question);
    /// The same, and the connection is handed out if it can serve again.
    struct Kept {
        const Trial* trial = nullptr;
        std::optional<origin::Connection> connection;
    };
    net::Task<Kept> ask_and_keep(Question question);
    /// On a connection kept before; `kept.connection` is null afterwards if it is of no more use.
    net::Task<void> ask_again(Kept& kept, Question question);
    void give_back(Kept kept);

    /// Whether the trials so far say that every request fails before it is answered, or that each
    /// takes very long: then more of them tell nothing.
    bool hopeless() const { return unreachable_; }
    bool slow() const { return slow_; }
    /// The edge would speak HTTP/2 with this origin.
    bool uses_http2() const { return uses_http2_; }
    /// A method that may change something is not repeated more than need be.
    bool is_safe() const;

    net::Loop& loop() { return *loop_; }
    net::Resolver& resolver() { return *resolver_; }
    tls::ClientContext* tls() { return tls_.get(); }
    const Options& options() const { return options_; }
    const config::Settings& settings() const { return options_.settings; }
    const http::OriginUrl& url() const { return url_; }
    bool speaks_tls() const;
    uint16_t port() const;
    std::string_view tls_name() const;
    Budget& budget() { return budget_; }
    Facts& facts() { return facts_; }
    const std::deque<Trial>& trials() const { return trials_; }
    std::deque<Trial>& trials() { return trials_; }
    void report(Report report) { facts_.reports.push_back(std::move(report)); }
    /// A report of a probe that is not run, and why.
    void skip(std::string_view probe);
    void tell(std::string_view what) const {
        if (options_.progress) options_.progress(what);
    }

  private:
    struct Lane;
    Session(Options options, std::unique_ptr<net::Loop> loop);
    Lane& lane(const Question& question);
    Trial begin(const Question& question);
    std::string request_text(const Trial& trial, const Question& question) const;
    net::Task<bool> exchange(origin::Connection& connection, Trial& trial,
                             const Question& question);
    net::Task<void> watch_restart(const Trial& trial);
    const Trial* keep(Trial trial);
    void note(const Trial& trial);

    Options options_;
    http::OriginUrl url_;
    std::unique_ptr<net::Loop> loop_;
    std::unique_ptr<net::Resolver> resolver_;
    std::shared_ptr<tls::ClientContext> tls_;
    std::unique_ptr<char[]> scratch_;
    record::RayIdMaker rays_;
    Budget budget_;
    Facts facts_;
    std::deque<Trial> trials_;  // their addresses stay
    std::vector<std::unique_ptr<Lane>> lanes_;
    unsigned failed_in_a_row_ = 0;
    unsigned watches_ = 0;  // for a restart
    bool unreachable_ = false;
    bool large_ = false;  // its bodies are
    bool slow_ = false;
    bool uses_http2_ = false;
};

}  // namespace edgecase::probe
