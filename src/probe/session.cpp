#include "probe/session.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "base/ascii.hpp"
#include "net/connect.hpp"
#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

using cause::Cause;

constexpr size_t kScratchBytes = 64 * 1024;
constexpr std::string_view kUserAgent = "Mozilla/5.0 (compatible; Edgecase-Doctor/1.0)";
constexpr unsigned kHopeless = 3;  // failures in a row without a connection
constexpr std::chrono::milliseconds kSlow{1'500};
constexpr unsigned kWatchedRestarts = 5;
// A body is read whole once; of a large one no more than that is then asked of the origin.
constexpr uint64_t kWholeRead = 16 << 20;
constexpr uint64_t kLargeRead = 256 << 10;
constexpr std::chrono::seconds kBodyTime{5};  // streams have no end
constexpr std::chrono::milliseconds kRestartLook{50};
constexpr std::chrono::seconds kRestartWatch{3};
constexpr unsigned kLooks = 3;  // before it is taken to be alive

unsigned random_node() {
    return std::random_device{}() % record::RayId::kMaximumNodes;
}

/// The connection went away under a request: the process behind it may have.
bool looks_like_a_crash(const Trial& trial) {
    const std::string_view phase = cause::row(trial.cause()).phase();
    const bool answering = phase == "resp" || phase == "body" || phase == "reuse";
    return trial.failure && trial.attempt.stream_id == 0 && answering &&
           (trial.attempt.close == record::Close::rst || trial.attempt.close == record::Close::fin);
}

}  // namespace

Question http1_question(const Session& session, std::string_view probe) {
    Question question;
    question.probe = probe;
    question.http1_only = true;
    if (session.uses_http2()) {
        question.kind = Kind::varied;
        question.factor = "protocol";
        question.value = "HTTP/1.1 only";
    }
    return question;
}

/// One way to the origin: any or one certain address of it, from any or one certain of ours.
struct Session::Lane {
    std::optional<ip::Address> address;
    std::optional<ip::Address> source;
    config::Settings settings;
    std::unique_ptr<origin::Origin> origin;
};

std::expected<std::unique_ptr<Session>, std::string> Session::create(Options options,
                                                                     const base::Clock& clock) {
    auto loop = net::Loop::create(clock);
    if (!loop) return std::unexpected("cannot make an event loop: " + loop.error().name());
    std::unique_ptr<Session> session(new Session(std::move(options), std::move(*loop)));
    const config::Settings& settings = session->settings();
    auto resolver = net::Resolver::create(
        *session->loop_, {.server = settings.resolver, .timeout = settings.timeouts.dns});
    if (!resolver) return std::unexpected(resolver.error());
    session->resolver_ = std::move(*resolver);
    if (session->speaks_tls()) {
        const config::OriginTls& wanted = settings.origin_tls;
        auto tls = tls::ClientContext::create({.verify = wanted.mode == config::SslMode::strict,
                                               .ca_file = wanted.ca_file,
                                               .certificate_file = wanted.certificate_file,
                                               .key_file = wanted.key_file});
        if (!tls) return std::unexpected(tls.error());
        session->tls_ = std::move(*tls);
    }
    return session;
}

Session::Session(Options options, std::unique_ptr<net::Loop> loop)
    : options_(std::move(options)),
      url_(options_.settings.pools.front().origins.front().url),
      loop_(std::move(loop)),
      scratch_(new char[kScratchBytes]),
      rays_(options_.settings.node_id.value_or(random_node()), 0),
      budget_(*loop_, options_.budget) {}

Session::~Session() {
    for (const auto& lane : lanes_) lane->origin->close();
}

bool Session::speaks_tls() const {
    const config::SslMode mode = settings().origin_tls.mode;
    return url_.scheme == http::OriginUrl::Scheme::https &&
           (mode == config::SslMode::full || mode == config::SslMode::strict);
}

uint16_t Session::port() const {
    const bool https = url_.scheme == http::OriginUrl::Scheme::https;
    return https && !speaks_tls() && url_.port == 443 ? 80 : url_.port;
}

std::string_view Session::tls_name() const {
    const std::string& name = settings().origin_tls.name;
    return name.empty() ? url_.host : name;
}

bool Session::is_safe() const {
    return options_.method == "GET" || options_.method == "HEAD" || options_.method == "OPTIONS";
}

Session::Lane& Session::lane(const Question& question) {
    for (const auto& one : lanes_) {
        if (one->address == question.address && one->source == question.source) return *one;
    }
    Lane& lane = *lanes_.emplace_back(std::make_unique<Lane>());
    lane.address = question.address;
    lane.source = question.source;
    lane.settings = settings();
    lane.settings.workers = 1;
    if (question.source) lane.settings.egress = {*question.source};
    http::OriginUrl url = url_;
    if (question.address) {
        lane.settings.origin_tls.name = tls_name();
        url.host = question.address->to_string();
    }
    lane.origin = std::make_unique<origin::Origin>(
        origin::Surroundings{
            *loop_, *resolver_, lane.settings, tls_.get(), {scratch_.get(), kScratchBytes}},
        std::move(url));
    return lane;
}

Trial Session::begin(const Question& question) {
    const auto or_else = [](const std::string& wish, const std::string& usual) {
        return wish.empty() ? usual : wish;
    };
    Trial trial;
    trial.at = loop_->clock().wall_now();
    trial.ray = rays_.make(trial.at);
    trial.probe = question.probe;
    trial.kind = question.kind;
    trial.factor = question.factor;
    trial.value = question.value;
    trial.method = or_else(question.method, options_.method);
    trial.target = or_else(question.target, options_.target);
    trial.host = or_else(question.host, or_else(options_.host, url_.authority()));
    trial.fresh = question.fresh;
    return trial;
}

std::string Session::request_text(const Trial& trial, const Question& question) const {
    std::string text = trial.method + " " + trial.target + " HTTP/1.1\r\nHost: " + trial.host;
    const auto add = [&](std::string_view name, std::string_view value) {
        ((((text += "\r\n") += name) += ": ") += value);
    };
    const auto add_usual = [&](std::string_view name, std::string_view value) {
        const bool replaced = std::ranges::any_of(options_.fields, [&](const origin::Field& one) {
            return base::iequals(one.name, name);
        });
        if (!replaced) add(name, value);
    };
    if (question.user_agent.empty()) {
        add_usual("User-Agent", kUserAgent);
    } else {
        add("User-Agent", question.user_agent);
    }
    add_usual("Accept", "*/*");
    for (const origin::Field& field : options_.fields) {
        const bool varied = !question.user_agent.empty() && base::iequals(field.name, "user-agent");
        if (!varied) add(field.name, field.value);
    }
    for (const origin::Field& field : question.fields) add(field.name, field.value);
    add("CF-Ray", record::RayText(trial.ray, settings().colo));
    add_usual("X-Forwarded-Proto",
              url_.scheme == http::OriginUrl::Scheme::https ? "https" : "http");
    const bool has_body = trial.method == options_.method && !options_.body.empty();
    if (has_body) add("Content-Length", std::to_string(options_.body.size()));
    add_usual("Connection", "Keep-Alive");
    text += "\r\n\r\n";
    if (has_body) text += options_.body;
    return text;
}

/// Whether the connection can serve again.
net::Task<bool> Session::exchange(origin::Connection& connection, Trial& trial,
                                  const Question& question) {
    origin::describe(trial.attempt, connection);
    const std::string text = request_text(trial, question);
    origin::OwnRequest request;
    request.bytes = text;
    request.body_bytes = text.size() - (text.find("\r\n\r\n") + 4);
    request.to_head = trial.method == "HEAD";
    request.body_bytes_kept = question.body_bytes_kept;
    request.body_time = kBodyTime;
    request.body_bytes_read = large_ ? kLargeRead : kWholeRead;
    for (const origin::Field& field : options_.fields) {
        if (base::iequals(field.name, "upgrade")) request.upgrade = field.value;
    }
    if (connection.reused()) {
        request.idle_before = loop_->clock().now() - connection.idle_since;
        trial.attempt.idle_us = base::microseconds(request.idle_before);
    }
    auto result = co_await origin::ask(*loop_, settings(), connection, request, trial.attempt);
    trial.answer = std::move(result.answer);
    trial.failure = std::move(result.failure);
    if (!trial.failure) trial.failure = std::move(result.extra);
    large_ = large_ || trial.answer.body_bytes > kLargeRead;
    connection.idle_since = loop_->clock().now();
    co_return trial.answer.reusable;
}

net::Task<Session::Kept> Session::ask_and_keep(Question question) {
    if (question.paid == 0 && !co_await budget_.take()) co_return Kept{};
    Lane& way = lane(question);
    Trial trial = begin(question);
    origin::Wish wish;
    wish.fresh = wish.alone = question.fresh;
    wish.http1_only = question.http1_only;
    std::optional<origin::Connection> connection;
    if (!question.fresh) connection = way.origin->take_existing(wish);
    if (!connection) {
        auto connected = co_await way.origin->connect(trial.attempt, wish, trial.others);
        if (!connected) {
            trial.failure = std::move(connected.error());
            trial.attempt.cause = trial.failure->cause();
            trial.attempt.evidence = trial.failure->evidence();
            co_return Kept{keep(std::move(trial)), std::nullopt};
        }
        connection = std::move(*connected);
    }
    const bool reusable = co_await exchange(*connection, trial, question);
    if (!reusable) {
        way.origin->give_back(std::move(*connection), false);
        connection.reset();
    }
    const Trial* const kept = keep(std::move(trial));
    if (looks_like_a_crash(*kept)) co_await watch_restart(*kept);
    co_return Kept{kept, std::move(connection)};
}

net::Task<const Trial*> Session::ask(Question question) {
    Lane& way = lane(question);
    Kept kept = co_await ask_and_keep(std::move(question));
    if (kept.connection) way.origin->give_back(std::move(*kept.connection), true);
    co_return kept.trial;
}

net::Task<void> Session::ask_again(Kept& kept, Question question) {
    if (!kept.connection || (question.paid == 0 && !co_await budget_.take())) {
        kept.trial = nullptr;
        co_return;
    }
    origin::Connection& connection = *kept.connection;
    ++connection.requests;
    connection.bytes_before = connection.stream.bytes_written();
    question.fresh = false;
    Trial trial = begin(question);
    const bool reusable = co_await exchange(connection, trial, question);
    if (!reusable) {
        lane(question).origin->give_back(std::move(connection), false);
        kept.connection.reset();
    }
    kept.trial = keep(std::move(trial));
    if (looks_like_a_crash(*kept.trial)) co_await watch_restart(*kept.trial);
}

void Session::give_back(Kept kept) {
    if (kept.connection) lane({}).origin->give_back(std::move(*kept.connection), false);
}

void Session::skip(std::string_view probe) {
    report({.name = probe,
            .state = Report::State::skipped,
            .summary = unreachable_ ? "No connection was made."
                       : !is_safe() ? "A method that may change something is not repeated."
                                    : "The origin is too slow to be asked so often.",
            .facts = {}});
}

const Trial* Session::keep(Trial trial) {
    note(trial);
    trials_.push_back(std::move(trial));
    return &trials_.back();
}

void Session::note(const Trial& trial) {
    uses_http2_ = uses_http2_ || trial.attempt.http2;
    if (trial.kind == Kind::provoked) return;
    const std::string_view phase = cause::row(trial.cause()).phase();
    const bool no_connection =
        trial.failure && (phase == "dns" || phase == "connect" || phase == "tls");
    failed_in_a_row_ = no_connection ? failed_in_a_row_ + 1 : 0;
    unreachable_ = failed_in_a_row_ >= kHopeless || (unreachable_ && no_connection);
    slow_ = slow_ || time_of(trial) > kSlow;
}

/// Whether the process that ended the connection is away: then connections are refused until it is
/// back.
net::Task<void> Session::watch_restart(const Trial& trial) {
    RestartFacts& facts = facts_.restarts;
    if (trial.attempt.origin.address.is_unspecified() || watches_ >= kWatchedRestarts) co_return;
    ++watches_;
    const base::SteadyTime begin = loop_->clock().now();
    const base::Deadline until = base::Deadline::after(begin, kRestartWatch);
    // A process that ends still listens for a moment.
    unsigned looks = 0;
    for (bool away = false;;) {
        auto stream = co_await net::connect(*loop_, trial.attempt.origin, {}, until);
        if (stream && !away && ++looks < kLooks) {
            stream->close();
            co_await loop_->sleep_until(loop_->after(kRestartLook));
            continue;
        }
        if (stream) {
            if (away) {
                facts.longest = std::max(facts.longest, std::chrono::duration_cast<milliseconds>(
                                                            loop_->clock().now() - begin));
            }
            co_return;
        }
        if (stream.error().error.kind != net::ErrorKind::refused) co_return;
        if (!away) ++facts.seen;
        away = true;
        if (until.passed(loop_->clock().now())) {
            facts.came_back = false;
            facts.longest = kRestartWatch;
            co_return;
        }
        co_await loop_->sleep_until(loop_->after(kRestartLook));
    }
}

}  // namespace edgecase::probe
