#include <algorithm>
#include <map>

#include "base/ascii.hpp"
#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

constexpr size_t kNamed = 5;         // of the largest fields
constexpr size_t kSmallest = 1024;   // request heads: nobody refuses that
constexpr size_t kClose = 1024;      // the bisection ends when so near
constexpr size_t kLine = 4000;       // of one field: below every server's limit for a line
constexpr size_t kCookieBytes = 64;  // of a cookie's name

bool refused(const Trial& trial) {
    const uint16_t status = trial.answer.status;
    return trial.failure || status == 400 || status == 413 || status == 414 || status == 431 ||
           status == 494;
}

void add_sizes(HeaderFacts& facts, const Trial& trial) {
    if (!trial.answer.head_whole || trial.attempt.header_bytes <= facts.bytes) return;
    facts.bytes = trial.attempt.header_bytes;
    facts.target = trial.target;
    std::map<std::string, HeaderFacts::Size> by_name;
    std::map<std::string, unsigned> cookies;
    size_t link = 0;
    for (const origin::Field& field : trial.answer.fields) {
        const std::string name = base::to_lower(field.name);
        HeaderFacts::Size& size = by_name.try_emplace(name, field.name, 0, 0).first->second;
        size.bytes += field.name.size() + field.value.size() + 4;
        ++size.count;
        if (name == "set-cookie") {
            ++cookies[field.value.substr(0, std::min(kCookieBytes, field.value.find('=')))];
        }
        const std::string value = name == "link" ? base::to_lower(field.value) : std::string();
        if (value.contains("preload") || value.contains("preconnect")) link += field.value.size();
    }
    facts.largest.clear();
    for (auto& [name, size] : by_name) facts.largest.push_back(std::move(size));
    std::ranges::sort(facts.largest, std::greater{}, &HeaderFacts::Size::bytes);
    if (facts.largest.size() > kNamed) facts.largest.resize(kNamed);
    facts.repeated_cookies.clear();
    for (const auto& [name, count] : cookies) {
        if (count > 1) facts.repeated_cookies.push_back(name);
    }
    facts.link_bytes = link;
}

/// One request whose head is about `bytes` large.
net::Task<const Trial*> ask_with(Session& session, size_t bytes) {
    Question question;
    question.probe = "header_size";
    question.kind = Kind::provoked;
    question.factor = "request header";
    question.value = std::to_string(bytes) + " bytes";
    for (size_t left = bytes; left > 0;) {
        const size_t line = std::min(left, kLine);
        // Names of their own: servers put fields of one name together before they measure.
        const std::string name = "X-Edgecase-Padding-" + std::to_string(question.fields.size());
        question.fields.push_back({name, std::string(line, 'p')});
        left -= line;
    }
    return session.ask(std::move(question));
}

void note_refusal(RequestHeaderFacts& facts, const Trial& trial, size_t bytes) {
    facts.refused_bytes = bytes;
    facts.refusal_status = trial.answer.status;
    facts.refusal_cause = trial.failure ? trial.failure->cause() : cause::Cause::none;
}

}  // namespace

net::Task<void> probe_header_size(Session& session) {
    if (session.hopeless() || session.slow() || !session.is_safe()) co_return;
    const auto works = [](const Trial& one) { return one.kind == Kind::plain && !one.failed(); };
    if (std::ranges::none_of(session.trials(), works)) co_return;
    const Trial& usual = *std::ranges::find_if(session.trials(), works);
    if (refused(usual)) co_return;  // a 400 anyway would say nothing
    const size_t wanted = session.settings().limits.request_header_bytes;
    RequestHeaderFacts facts;
    facts.accepted_bytes = kSmallest;
    size_t next = wanted;
    for (;;) {
        const Trial* trial = co_await ask_with(session, next);
        // A failure may be chance, a refusal is none.
        if (trial != nullptr && trial->failure) trial = co_await ask_with(session, next);
        if (trial == nullptr) co_return;
        if (refused(*trial)) {
            note_refusal(facts, *trial, next);
        } else {
            facts.accepted_bytes = next;
        }
        if (facts.refused_bytes == 0 || facts.refused_bytes - facts.accepted_bytes <= kClose) break;
        next = facts.accepted_bytes + (facts.refused_bytes - facts.accepted_bytes) / 2;
    }
    session.facts().request_headers = facts;
}

void report_header_size(Session& session) {
    HeaderFacts& facts = session.facts().headers;
    for (const Trial& trial : session.trials()) add_sizes(facts, trial);
    Report report{.name = "header_size", .state = Report::State::good, .summary = {}, .facts = {}};
    const config::Limits& limits = session.settings().limits;
    if (facts.bytes == 0) {
        report.state = Report::State::skipped;
        report.summary = "No response head came whole.";
        session.report(std::move(report));
        return;
    }
    report.summary = "The largest response head has " + std::to_string(facts.bytes) + " of " +
                     std::to_string(limits.response_header_bytes) + " bytes.";
    if (facts.bytes >= limits.response_header_warn_bytes) report.state = Report::State::bad;
    report.facts.add("header_bytes", facts.bytes);
    report.facts.add("limit_bytes", limits.response_header_bytes);
    report.facts.add("share_percent",
                     uint64_t{facts.bytes} * 100 / std::max(1u, limits.response_header_bytes));
    std::vector<std::string> largest;
    for (const HeaderFacts::Size& one : facts.largest) {
        largest.push_back(one.name + ": " + std::to_string(one.bytes) + " bytes" +
                          (one.count > 1 ? " in " + std::to_string(one.count) + " lines" : ""));
    }
    report.facts.add("largest_headers", largest);
    if (!facts.repeated_cookies.empty()) {
        report.facts.add("repeated_cookies", facts.repeated_cookies);
        report.summary += " It sets the same cookie more than once.";
        if (report.state == Report::State::good) report.state = Report::State::advice;
    }
    if (const auto& request = session.facts().request_headers) {
        report.facts.add("request_accepted_bytes", request->accepted_bytes);
        if (request->refused_bytes > 0) {
            report.facts.add("request_refused_bytes", request->refused_bytes);
            const std::string how = request->refusal_cause != cause::Cause::none
                                        ? std::string(cause::row(request->refusal_cause).name)
                                        : "status " + std::to_string(request->refusal_status);
            report.facts.add("request_refused_with", how);
            report.summary += " Request heads above about " +
                              std::to_string(request->accepted_bytes / 1024) +
                              " KiB are refused (" + how + "), though the edge passes on " +
                              std::to_string(limits.request_header_bytes / 1024) + " KiB.";
            if (report.state == Report::State::good) report.state = Report::State::advice;
        }
    }
    session.report(std::move(report));
}

}  // namespace edgecase::probe
